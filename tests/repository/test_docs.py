"""The documents name only what exists, and all that an operator meets is in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ak_instagram.settings.keys import variable
from ak_instagram.settings.model import ACCOUNT_KEYS, KEYS
from tests.support.service_metrics import METRICS, Metric, labels_of

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations.md"
DOCUMENTS = [
    *(found for place in ("*.md", "docs/**/*.md") for found in sorted(ROOT.glob(place))),
    *(
        found
        for place in ("examples", "helm", "src")
        for found in sorted(ROOT.glob(f"{place}/**/*.md"))
    ),
]
DEPLOYMENT = [
    *(ROOT / "Dockerfile", ROOT / "docker-compose.yml", ROOT / ".env.example"),
    *sorted(ROOT.glob("examples/systemd/*")),
]


def each(paths):
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


def code_in(document: Path) -> list[str]:
    """Return what is set as code, in blocks (a line each) and in running text."""
    text = document.read_text()
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.M | re.S)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return [line for block in blocks for line in block.splitlines()] + inline


@cache
def anchors_of(document: Path) -> set[str]:
    """Return the anchors that a reader's site makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.M)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


# --- links ------------------------------------------------------------------


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_relative_links_lead_somewhere(document):
    targets = re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text())

    astray = [target for target in targets if not leads_somewhere(document, target)]

    assert astray == []


def leads_somewhere(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    return file.exists() and (not anchor or anchor in anchors_of(file))


# --- files and names of the code ---------------------------------------------

# Files that a reader makes.
READERS = frozenset({"bot.py", "plugins/shop_agent.py"})
# Classes of others that documents speak of.
OTHERS = frozenset({"RESTAPI"})
FILE = re.compile(r"(?<![\w./*-])([\w./-]+\.py)\b")
MEMBER = re.compile(r"([A-Z]\w+)\.(\w+)(?:\(.*\))?")


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_module_and_test_that_is_named_exists(document):
    named = {file for code in inline_code(document) for file in FILE.findall(code)}

    assert [file for file in sorted(named - READERS) if f"/{file}" not in endings()] == []


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_member_that_is_named_exists(document):
    found = [MEMBER.fullmatch(code) for code in inline_code(document)]
    named = {(it[1], it[2]) for it in found if it and it[1] not in OTHERS and it[2] != "md"}

    known = members_of_classes()
    assert {pair for pair in named if pair[1] not in known.get(pair[0], ())} == set()


@pytest.mark.parametrize(
    ("code", "files"),
    [
        pytest.param("store/verbs/steps.py", ["store/verbs/steps.py"], id="module"),
        pytest.param("tests/e2e/test_kills.py -x", ["tests/e2e/test_kills.py"], id="argument"),
        pytest.param("python helm/readme.py", ["helm/readme.py"], id="command"),
        pytest.param("store.pyx", [], id="longer-name"),
        pytest.param("*.py", [], id="pattern"),
    ],
)
def test_a_file_is_told_from_other_code(code, files):
    assert FILE.findall(code) == files


def inline_code(document: Path) -> list[str]:
    """Return what is set as code in running text and tables."""
    prose = re.sub(r"^ *```.*?^ *```", "", document.read_text(), flags=re.M | re.S)
    return re.findall(r"`([^`\n]+)`", prose)


@cache
def endings() -> frozenset[str]:
    """Return what the paths of our Python files end in, folder by folder."""
    places = ("src", "qa", "tests", "helm", "examples", ".github")
    paths = [file.relative_to(ROOT) for place in places for file in (ROOT / place).rglob("*.py")]
    return frozenset(
        "/" + "/".join(path.parts[start:]) for path in paths for start in range(len(path.parts))
    )


@cache
def members_of_classes() -> dict[str, set[str]]:
    """Return what is declared in each class of `src`: methods, fields, and what `self` gets."""
    members: dict[str, set[str]] = {}
    for file in (ROOT / "src").rglob("*.py"):
        for it in ast.walk(ast.parse(file.read_text())):
            if isinstance(it, ast.ClassDef):
                members.setdefault(it.name, set()).update(declared_in(it))
    return members


def declared_in(declared: ast.ClassDef) -> Iterator[str]:
    for it in ast.walk(declared):
        match it:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Attribute(attr=name, ctx=ast.Store())
            ):
                yield name


# --- commands ---------------------------------------------------------------


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_make_target_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))

    named = {name for code in code_in(document) for name in re.findall(r"\bmake ([a-z-]+)", code)}

    assert named <= targets


def test_the_readme_opens_with_the_two_commands():
    first_block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)

    assert first_block is not None
    assert re.findall(r"^make \w+", first_block[1], re.M) == ["make demo", "make test"]


# --- settings ---------------------------------------------------------------


@pytest.mark.parametrize("file", each(DOCUMENTS + DEPLOYMENT))
def test_every_variable_of_ours_is_a_setting(file):
    named = set(re.findall(r"\bAK_[A-Z]+__[A-Z_0-9]*[A-Z]", file.read_text()))

    strangers = {name for name in named if not name.startswith(("AK_API__", "AK_SESSION__"))}

    assert strangers <= variables()


@cache
def variables() -> set[str]:
    prefix = "instagram.accounts[0]."
    known = {variable(key.name) for key in KEYS}
    known |= {variable(prefix + key.name.rpartition(".")[2]) for key in ACCOUNT_KEYS}
    return known | {f"{name}_FILE" for name in known}


# --- metrics and log lines --------------------------------------------------


def test_the_metrics_table_is_that_of_the_code():
    rows = re.findall(r"^\| `(ak_instagram_\w+)` \| (.*?) \|", OPERATIONS.read_text(), re.M)

    documented = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}

    assert documented == metrics_of_the_code()


def test_no_document_names_another_metric():
    known = metrics_of_the_code()

    named = {
        name
        for document in DOCUMENTS
        if document.name != "CHANGELOG.md"  # it has the names that were
        for name in re.findall(r"\bak_instagram_[a-z_]+", document.read_text())
    }

    assert named <= set(known)


def metrics_of_the_code() -> dict[str, tuple[str, ...]]:
    return {exposed_name(metric): labels_of(metric) for metric in METRICS}


def exposed_name(metric: Metric) -> str:
    [family] = metric.describe()
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_the_log_table_is_that_of_the_code():
    table = OPERATIONS.read_text().partition("\n## Log\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `(\w+\.\w+)` \|([^|]*)\|([^|]*)\|", table, re.M)

    documented = {
        event: (set(re.findall(r"\w+", levels)), set(re.findall(r"\w+", fields)))
        for event, levels, fields in rows
    }

    assert documented == log_lines_of_the_code()


def log_lines_of_the_code() -> dict[str, tuple[set[str], set[str]]]:
    """Return each event with the levels and the fields of the calls that log it."""
    lines: dict[str, tuple[set[str], set[str]]] = {}
    for file in (ROOT / "src/ak_instagram").rglob("*.py"):
        for event, level, fields in logged_in(file.read_text()):
            levels, known = lines.setdefault(event, (set(), set()))
            levels.add(level)
            known |= fields
    return lines


def logged_in(source: str) -> Iterator[tuple[str, str, set[str]]]:
    """Yield event, level and fields of each call in *source* that logs."""
    tree = ast.parse(source)
    dictionaries = {
        target.id: keys_of(it.value)
        for it in ast.walk(tree)
        if isinstance(it, ast.Assign) and isinstance(it.value, ast.Dict)
        for target in it.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        named = {it.arg: it.value for it in call.keywords if it.arg}
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log"), attr=level),
                args=[ast.Constant(value=str(event))],
            ):
                unpacked = [it.value for it in call.keywords if it.arg is None]
                names = [it.id for it in unpacked if isinstance(it, ast.Name)]
                assert len(names) == len(unpacked)
                fields = {*named, *(key for name in names for key in dictionaries[name])}
                if level == "exception" or "exc_info" in fields:
                    fields = fields - {"exc_info"} | {"traceback"}
                yield event, "error" if level == "exception" else level, fields
            case ast.Call(
                func=ast.Name(id="AccessLogEntry"),
                args=[ast.Name(id=level), ast.Constant(value=str(event)), facts, *_],
            ):
                said = dictionaries[facts.id] if isinstance(facts, ast.Name) else keys_of(facts)
                yield event, level.lower(), {"status", "ms", *said}  # as `AccessLog.write` adds
            case ast.Call(func=ast.Name(id="run_logged" | "run_rounds")):
                yield ast.literal_eval(named["failure"]), "error", {"reason", "traceback"}


def keys_of(value: ast.expr) -> set[str]:
    """Return the keys of a dictionary that are written as texts."""
    assert isinstance(value, ast.Dict)
    constants = [key.value for key in value.keys if isinstance(key, ast.Constant)]
    return {key for key in constants if isinstance(key, str)}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param('log.info("a.b", x=1)', ("a.b", "info", {"x"}), id="fields"),
        pytest.param(
            'log.exception("a.b", x=1)', ("a.b", "error", {"x", "traceback"}), id="traceback"
        ),
        pytest.param(
            'f = {"x": 1}; log.info("a.b", y=2, **f)', ("a.b", "info", {"x", "y"}), id="unpacked"
        ),
        pytest.param(
            'AccessLogEntry(WARNING, "a.b", {"x": 1})',
            ("a.b", "warning", {"x", "status", "ms"}),
            id="access-log",
        ),
        pytest.param(
            'run_logged(work(), failure="a.b")',
            ("a.b", "error", {"reason", "traceback"}),
            id="round-of-a-job",
        ),
    ],
)
def test_a_log_line_is_read_from_its_call(source, found):
    assert list(logged_in(source)) == [found]


def test_the_changelog_names_what_is_logged_now():
    text = (ROOT / "CHANGELOG.md").read_text()
    rows = re.findall(r"^\| (`\w+\.\w+`[^|]*|`\w+` of [^|]*) \| ([^|]*) \|", text, re.M)
    lines = log_lines_of_the_code()

    events = {old: new for old, new in rows if " of " not in old}
    fields = [
        (event, new.strip("`"))
        for old, new in rows
        if " of " in old
        for event in re.findall(r"`(\w+\.\w+)`", old)
    ]
    assert {name for new in events.values() for name in re.findall(r"[\w.]+", new)} <= set(lines)
    assert not {name for old in events for name in re.findall(r"\w+\.\w+", old)} & set(lines)
    assert fields
    assert [(event, field) for event, field in fields if field not in lines[event][1]] == []


def test_every_error_line_says_what_to_do():
    table, _, answers = OPERATIONS.read_text().partition("\n### Error lines\n")
    wanting = re.findall(r"^\| `(\w+\.\w+)` \|.*\(#error-lines\)", table, re.M)

    assert [event for event in wanting if f"`{event}`" not in answers] == []


@pytest.mark.parametrize(
    "document", each(it for it in DOCUMENTS if "docker exec" in it.read_text())
)
def test_a_line_for_docker_run_says_how_it_begins_with_compose(document):
    compose = re.search(r"docker compose (exec|run)", document.read_text())

    assert compose or document.name == "deploy-docker.md"
