"""The simulator's README says what is there, and its example is a test-suite that passes."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from instagram_simulator import Behaviour, FaultKind, UserActions
from instagram_simulator.control import conditions, users

ROOT = Path(__file__).parents[3]
README = ROOT / "src/instagram_simulator/README.md"
PAGES = (README, ROOT / "docs/simulator.md")
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", README.read_text(), re.S))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_the_example_is_a_test_suite_that_passes(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)

    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", ".")
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert set(FILES) == {"conftest.py", "test_bot.py", "bot.py"}
    assert "2 passed" in ended.stdout, ended.stdout


@each_page
def test_every_route_is_listed(page):
    listed = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) ([^`?]+)[^`]*`", page.read_text()))

    assert {(route.method, spoken(route.path)) for route in ROUTES} <= listed


ROUTES = (*users.ROUTES, *conditions.ROUTES)


def spoken(path: str) -> str:
    """Return *path* as the pages write it: `people/IGSID/look`."""
    short = path.removeprefix("/").replace(r"{number:\d+}", "N")
    return re.sub(r"\{(\w+)\}", lambda name: name[1].upper(), short)


@each_page
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(set(FaultKind), id="faults"),
        pytest.param({field.name for field in fields(Behaviour)}, id="switches"),
        pytest.param({name for name in vars(UserActions) if name[0] != "_"}, id="actions"),
    ],
)
def test_every_name_is_listed(page, names):
    assert names <= set(re.findall(r"`(\w+)`", page.read_text()))
