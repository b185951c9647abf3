"""
Answers as models write them read well on a phone.

`tests/data/answers/` has them by language: an id that says whose manner it is and about
which kind of business, the Markdown, and the text that a customer should see.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ak_instagram.reply.markdown import plain
from ak_instagram.reply.split import split

FILES = sorted((Path(__file__).parents[2] / "data" / "answers").glob("*.json"))
ANSWERS = [
    pytest.param(answer["markdown"], answer["text"], id=f"{file.stem}-{answer['id']}")
    for file in FILES
    for answer in json.loads(file.read_text())
]


@pytest.mark.parametrize(("markdown", "text"), ANSWERS)
def test_a_customer_reads_what_was_meant(markdown, text):
    answer = plain(markdown)

    assert split(answer.text, whole=answer.verbatim) == (text,)


@pytest.mark.parametrize(("markdown", "text"), ANSWERS)
def test_no_answer_shows_a_pair_of_markers(markdown, text):
    assert not re.search(r"\*\*|~~|```|</|<\||【\d|\]\(|&\w+;", text)


def test_answers_are_many_and_of_many_languages():
    assert len(ANSWERS) >= 200
    assert len(FILES) >= 20
