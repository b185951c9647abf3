"""The documents name only what exists, and all that an operator meets is in them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from ak_instagram.settings.keys import variable
from ak_instagram.settings.model import ACCOUNT_KEYS, KEYS
from tests.support.service_metrics import METRICS, Metric, labels_of

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations.md"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
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
    documented = set(re.findall(r"^\| `(\w+\.\w+)` \|", table, re.M))

    logged = {
        event
        for file in (ROOT / "src").rglob("*.py")
        for event in re.findall(
            r"(?:\b_?log\.[a-z]+\(|\bfailure=|\b(?:INFO|WARNING|ERROR),)\s*\"(\w+\.\w+)\"",
            file.read_text(),
        )
    }

    assert documented == logged


def test_every_error_line_says_what_to_do():
    table, _, answers = OPERATIONS.read_text().partition("\n### Error lines\n")
    wanting = re.findall(r"^\| `(\w+\.\w+)` \|.*\(#error-lines\)", table, re.M)

    assert [event for event in wanting if f"`{event}`" not in answers] == []
