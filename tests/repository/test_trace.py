"""The way of one message is as long as it was, and the docs show it as it is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from qa.trace.counts import Counts, changes, count
from qa.trace.recording import Call

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/architecture.md"

# The most that a reader of the way may have to follow; `qa.trace` says what is counted.
MODULES = 30
FUNCTIONS = 150
CHANGES = 132


@pytest.fixture(scope="module")
def section() -> str:
    """Return the section that the tool writes of the code as it is."""
    return run("--markdown")


@pytest.fixture(scope="module")
def figures(section) -> dict[str, int]:
    found = re.findall(r"(\d+) (functions|modules|changes)", section)
    return {name: int(number) for number, name in found}


@pytest.mark.parametrize(
    ("figure", "most"),
    [
        pytest.param("modules", MODULES, id="modules"),
        pytest.param("functions", FUNCTIONS, id="functions"),
        pytest.param("changes", CHANGES, id="changes-of-module"),
    ],
)
def test_the_way_of_a_message_does_not_get_longer(figures, figure, most):
    assert figures[figure] <= most


def test_the_docs_show_the_way_as_it_is(section):
    """If not: `make trace ARGS=--markdown`, and put what it prints between the markers."""
    shown = re.search(r"<!-- trace:begin -->\n(.*)\n<!-- trace:end -->", DOCUMENT.read_text(), re.S)

    assert shown is not None
    assert comparable(shown[1]) == comparable(section)


def comparable(section: str) -> str:
    """Return what of *section* does not depend on Python: 3.12 counts comprehensions no more."""
    return section if sys.version_info < (3, 12) else section.rpartition("\n")[0]


def test_nothing_that_was_said_is_printed():
    printed = run("--full")

    private = ("Are you open", "You asked", "IGAA", "app-secret", "verify-token")
    assert [each for each in private if each in printed] == []


def run(option: str) -> str:
    """Return what the tool prints with *option*."""
    command = (sys.executable, "-m", "qa.trace", option)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_change_of_module_is_one_within_a_thread():
    calls = [call(1, "a.py"), call(2, "b.py"), call(1, "a.py"), call(2, "c.py"), call(1, "b.py")]

    assert count(calls) == Counts(calls=5, functions=3, modules=3, changes=2)
    assert changes(calls) == {("b.py", "c.py"): 1, ("a.py", "b.py"): 1}


def call(thread: int, module: str) -> Call:
    return Call(thread, depth=0, module=module, function="f", is_resumed=False, caller=None)
