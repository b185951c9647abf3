"""Who follows the documents finds every page, and every line that they type is one that runs."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
import yaml
from sqlalchemy import create_engine

from ak_instagram.cli import main
from ak_instagram.settings.model import KEYS
from ak_instagram.store.migrations import migrate
from tests.repository.chart.rendering import render
from tests.repository.test_docs import DOCUMENTS, OPERATIONS, ROOT, each

INDEX = ROOT / "docs/README.md"
PAGES = sorted(ROOT.glob("docs/*.md"))
# These speak of the code, whose attributes look like log lines: `turn.id`.
OF_THE_CODE = {"agents.md", "architecture.md"}

# A block of code, however far indented: its indent, its language, its text.
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.M | re.S)
STATEMENT = re.compile(r"\b(?:SELECT|DELETE)\b[^;\"`]+?\bFROM\b[^;\"`]+")

# Where a command of ours begins: our program at the start of a command line, with or without
# its folder, our module anywhere, our image once it is run. Containers, releases and objects
# are called like us.
BEFORE_IT = r"(?:\$\s+)?(?:sudo\s+)?(?:[A-Z_]+=(?:'[^']*'|\S*)\s+)*(?:\S+/bin/)?"
PROGRAM = rf"(?:^|[|;&]\s*){BEFORE_IT}ak-instagram(?=\s)"
MODULE = r"\bpython -m ak_instagram(?=\s)"
IMAGE = r"\bdocker run(?:(?!--entrypoint).)*\sak-instagram:[\w.]+(?=\s)"
COMMAND = re.compile(rf"(?:{PROGRAM}|{MODULE}|{IMAGE})(?P<words>[^|;&`#<>\n)]*)")

META_RATE = 100  # texts a second and account

# What the troubleshooting page quotes of the service, and where the service says it.
QUOTED = {
    "hub.mode or hub.verify_token is not what was configured": "webhook/signature.py",
    "hub.challenge is not a challenge": "webhook/signature.py",
    "X-Hub-Signature-256 is missing": "webhook/endpoint.py",
    "no configured secret signed this": "webhook/endpoint.py",
    "another ak-instagram works on": "store/sqlite/engine.py",
    "the token is invalid, or for another host": "meta/graph/codes.py",
    "the token has expired": "meta/graph/codes.py",
    "agent took longer than agent.timeout": "agents/answers.py",
    "agent did not answer": "agents/transport.py",
    "agent's answer has nothing at": "agents/adapters/http/reading.py",
    "check agent.api_key": "agents/transport.py",
}


# --- pages ------------------------------------------------------------------


def test_the_index_leads_to_every_page():
    links = re.findall(r"\]\(([\w./-]+\.md)\)", INDEX.read_text())
    linked = {(INDEX.parent / path).resolve() for path in links}

    assert [page.name for page in PAGES if page not in {INDEX, *linked}] == []


@pytest.mark.parametrize("document", each(PAGES))
def test_an_anchor_is_one_place(document):
    """Sites number headings that are there twice, each in a way of its own."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", document.read_text()), re.M)

    assert len(headings) == len({heading.lower() for heading in headings})


# --- commands ---------------------------------------------------------------


@pytest.mark.parametrize("document", each(DOCUMENTS))
def test_every_command_and_flag_exists(document):
    commands = [words for line in code_of(document) for words in commands_on(line)]

    strangers = {(stranger, *words) for words in commands for stranger in strangers_in(words)}

    assert strangers == set()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("ak-instagram serve --config x.yaml", "serve --config x.yaml", id="bare"),
        pytest.param(".venv/bin/ak-instagram sign a.json", "sign a.json", id="in-its-folder"),
        pytest.param("sudo ak-instagram dead-letters list", "dead-letters list", id="as-root"),
        pytest.param("ak-instagram sign a.json | sh", "sign a.json", id="piped"),
        pytest.param("AK_X__Y='a b' ak-instagram serve", "serve", id="after-variables"),
        pytest.param("docker run --rm ak-instagram:dev check-config", "check-config", id="image"),
        pytest.param(
            "docker exec ak-instagram python -m ak_instagram dead-letters list --json",
            "dead-letters list --json",
            id="in-a-container",
        ),
        pytest.param("docker logs ak-instagram --follow", None, id="a-container"),
        pytest.param("docker run --entrypoint sh ak-instagram:dev -c x", None, id="other-program"),
        pytest.param("kubectl scale deployment/ak-instagram --replicas=0", None, id="an-object"),
        pytest.param("helm upgrade --install ak-instagram helm/x --wait", None, id="a-release"),
    ],
)
def test_a_command_is_told_from_a_name(line, words):
    assert [" ".join(found) for found in commands_on(line)] == ([words] if words else [])


@pytest.mark.parametrize(
    ("words", "strangers"),
    [
        pytest.param(["dead-letters", "list", "--json"], [], id="known"),
        pytest.param(["dead-letters", "list", "--jsn"], ["--jsn"], id="flag"),
        pytest.param(["dead-letters", "lists"], ["lists"], id="command-of-a-group"),
        pytest.param(["unsubscribe", "--all"], ["unsubscribe"], id="command"),
    ],
)
def test_what_does_not_exist_is_found(words, strangers):
    assert list(strangers_in(words)) == strangers


def code_of(document: Path) -> Iterator[str]:
    """Yield the lines of its blocks, continued ones joined, and each piece of code in its prose."""
    page = document.read_text()
    for _, _, block in BLOCK.findall(page):
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", BLOCK.sub("", page))


def commands_on(line: str) -> Iterator[list[str]]:
    """Yield the words that follow our name, for each command of ours on *line*."""
    for found in COMMAND.finditer(line):
        try:
            yield shlex.split(found["words"])
        except ValueError:  # a quote that a later line closes
            yield found["words"].split()


def strangers_in(words: list[str]) -> Iterator[str]:
    """Yield which of *words* are neither a command nor a flag of the one that is called."""
    command: click.Command = main
    for word in words:
        if word.startswith("-"):
            if word.partition("=")[0] not in flags_of(command):
                yield word
        elif isinstance(command, click.Group):
            if word not in command.commands:
                yield word
                return
            command = command.commands[word]


def flags_of(command: click.Command) -> set[str]:
    parameters = command.get_params(click.Context(command))
    return {flag for parameter in parameters for flag in parameter.opts}


# --- blocks -----------------------------------------------------------------


def blocks_of(document: Path, language: str) -> list[str]:
    return [text for _, named, text in BLOCK.findall(document.read_text()) if named == language]


@pytest.mark.skipif(shutil.which("bash") is None, reason="nobody here reads shell scripts")
@pytest.mark.parametrize("document", each(PAGES))
def test_every_shell_block_is_a_script(document):
    bash = [shutil.which("bash") or "", "-n"]

    complaints = [
        subprocess.run(bash, input=script, capture_output=True, text=True, check=False).stderr
        for script in blocks_of(document, "sh")
    ]

    assert [complaint for complaint in complaints if complaint] == []


def statements_of(document: Path) -> list[str]:
    return [found for found in STATEMENT.findall(document.read_text()) if "…" not in found]


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(statement, id=f"{page.name}-{number}")
        for page in PAGES
        for number, statement in enumerate(statements_of(page), start=1)
    ],
)
def test_every_statement_runs_on_the_store(statement, store):
    outcome = store.exec_driver_sql(statement)

    assert outcome.returns_rows == statement.startswith("SELECT")


def test_a_statement_is_found_in_a_block_and_in_a_shells_quotes():
    statements = statements_of(ROOT / "docs/operations.md")

    tables = [it.partition(" FROM ")[2].partition(" ")[0] for it in statements]
    assert tables == ["events", "conversations", "outbox"]


@pytest.fixture(scope="module")
def store():
    """The store as the service makes it, empty."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection)
        yield connection
    engine.dispose()


def test_the_values_of_the_helm_page_can_be_installed():
    sqlite, postgres, _ = map(yaml.safe_load, blocks_of(ROOT / "docs/deploy-helm.md", "yaml"))

    postgres["config"] = sqlite["config"] | postgres["config"]  # as Helm does with two files
    alone, several = render(sqlite), render(sqlite | postgres)

    assert "https://bot.example.com/instagram/webhook" in alone.notes
    assert alone.all("PersistentVolumeClaim")
    assert several.one("Deployment")["spec"]["replicas"] == 2
    assert postgres["config"]["sender"]["rate"] * postgres["replicaCount"] <= META_RATE


# --- log lines --------------------------------------------------------------


@pytest.mark.parametrize("document", each([it for it in PAGES if it.name not in OF_THE_CODE]))
def test_every_log_line_that_is_named_exists(document):
    settings = {key.name for key in KEYS}
    nouns = {event.partition(".")[0] for event in log_lines()}

    named = {
        name
        for line in code_of(document)
        for name in re.findall(r"(?<![\w./-])([a-z]+\.[a-z_]+)(?![\w.:/(-])", line)
        if name.partition(".")[0] in nouns
    }

    assert named - log_lines() - settings - {"service.env"} == set()


@cache
def log_lines() -> frozenset[str]:
    table = OPERATIONS.read_text().partition("\n## Log\n")[2].partition("\n### ")[0]
    return frozenset(re.findall(r"^\| `(\w+\.\w+)` \|", table, re.M))


@pytest.mark.parametrize(("quoted", "module"), QUOTED.items())
def test_what_is_quoted_is_what_is_said(quoted, module):
    said = re.sub(r"\"\s+f?\"", "", (ROOT / "src/ak_instagram" / module).read_text())

    assert quoted in (ROOT / "docs/troubleshooting.md").read_text()
    assert quoted in said
