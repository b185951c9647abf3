"""The page of troubles names tests that there are, and one for each trouble."""

from __future__ import annotations

import re

import pytest

from qa.reference import ROOT

PAGE = (ROOT / "docs/pains.md").read_text(encoding="utf-8")
ROWS = [
    row
    for row in re.findall(r"^\| (.+) \|$", PAGE, re.M)
    if not row.startswith(("trouble |", "question |", "---"))
]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_test_that_is_named_is_there(file, test):
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")

    assert re.search(rf"^(async )?def {test}\(", text, re.M)


def test_each_trouble_has_its_test_or_says_that_it_has_none():
    shown = [row.rpartition("|")[2] for row in ROWS]

    assert len(ROWS) == 25 + 12
    assert [it for it in shown if "::" not in it and "not by a test" not in it] == []
