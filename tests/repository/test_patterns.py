"""
Regular expressions mean the same on every Python that is supported.

Up to Python 3.11.2 at least, which Debian 12 has, a group with a possessive quantifier goes on
behind what its last, failed round had read, and characters are lost.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[2] / "src").rglob("*.py"))
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d+(?:,\d*)?\})\+")


def test_no_group_is_possessive():
    found = [str(file) for file in SOURCES if POSSESSIVE_GROUP.search(file.read_text())]

    assert found == []


@pytest.mark.parametrize(
    ("pattern", "is_found"),
    [
        pytest.param(r"(?:ab)*+c", True, id="any-number"),
        pytest.param(r"(a)?+", True, id="optional"),
        pytest.param(r"(a){2,}+", True, id="counted"),
        pytest.param(r"[ab]*+c", False, id="class"),
        pytest.param(r"\)*+", False, id="parenthesis"),
    ],
)
def test_a_possessive_group_is_known_from_a_class(pattern, is_found):
    assert bool(POSSESSIVE_GROUP.search(pattern)) == is_found
