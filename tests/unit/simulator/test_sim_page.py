"""The page's scripts never take text for markup."""

from __future__ import annotations

import re

import pytest

from instagram_simulator import app

SCRIPTS = sorted(app.STATIC.glob("*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_uses_nothing_that_parses_markup(script):
    parsers = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\("

    assert not re.search(parsers, script.read_text())


def test_the_page_loads_nothing_from_elsewhere():
    index = (app.STATIC / "index.html").read_text()

    assert not re.findall(r"(?:src|href)=\"(?!/static/)", index)
