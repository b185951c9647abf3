"""An agent's answer becomes the messages to send, and nothing of it vanishes quietly."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ak_instagram.agents.agent import (
    Buttons,
    Handoff,
    MessageEnd,
    Silence,
    Text,
)
from ak_instagram.reply.markdown import plain
from ak_instagram.reply.plan import Plan, plan_answer, takes_long
from ak_instagram.reply.split import split


def texts(plan):
    return [message["text"] for message in plan.messages]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([Text("Hello")], ["Hello"], id="one"),
        pytest.param([Text("Hel"), Text("lo **th"), Text("ere**")], ["Hello there"], id="stream"),
        pytest.param([Text("a"), MessageEnd(), Text("b"), MessageEnd()], ["a", "b"], id="two"),
        pytest.param([MessageEnd(), Text(" \n"), MessageEnd(), Text("a")], ["a"], id="blank-ones"),
        pytest.param(
            [Text("*a"), MessageEnd(), Text("b*")], ["*a", "b*"], id="markup-across-messages"
        ),
        pytest.param([Silence(), Text("but")], ["but"], id="silence-that-is-none"),
        pytest.param([Text("Wait."), Handoff("angry")], ["Wait."], id="handoff-with-words"),
    ],
)
def test_texts_run_on_until_a_message_ends(parts, expected):
    assert texts(plan_answer(parts)) == expected


def test_a_long_message_goes_out_in_pieces():
    plan = plan_answer([Text("word " * 300), MessageEnd(), Text("end")])

    pieces = texts(plan)

    assert [len(piece) > 900 for piece in pieces] == [True, False, False]
    assert " ".join(pieces) == "word " * 300 + "end"


def test_code_that_fits_a_piece_is_in_one_piece():
    code = "\n\n".join(f"line_{number} = {number}" for number in range(30))
    words = "word " * 150

    pieces = texts(plan_answer([Text(f"{words}\n\n```python\n{code}\n```")]))

    assert pieces == [words.strip(), code]


def test_silence_is_not_an_empty_answer():
    plan = plan_answer([Silence()])

    assert plan == Plan(is_silent=True)
    assert not plan.is_empty


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="no-part"),
        pytest.param([MessageEnd()], id="only-an-end"),
        pytest.param([Text(" \n"), MessageEnd(), Text("")], id="blank"),
        pytest.param([Text("![]()")], id="markup-of-nothing"),
    ],
)
def test_an_answer_without_words_is_empty(parts):
    plan = plan_answer(parts)

    assert plan == Plan()
    assert plan.is_empty


def test_a_handoff_needs_no_words_and_no_reason():
    plan = plan_answer([Handoff()])

    assert plan == Plan(handoff="")
    assert not plan.is_empty


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([Text("**a** " * 50)], False, id="short"),
        pytest.param([Text("word " * 13_000)], False, id="long-prose"),
        pytest.param([Text("**a** " * 5000)], True, id="much-markup"),
        pytest.param([Text("[" * 4000)], True, id="only-markup"),
        pytest.param(
            [Text("**a** " * 300), MessageEnd()] * 20, True, id="much-markup-in-short-messages"
        ),
        pytest.param([Buttons("**a** " * 5000, ())], True, id="much-markup-above-buttons"),
        pytest.param([Silence(), MessageEnd()], False, id="no-text"),
    ],
)
def test_an_answer_that_takes_long_is_known_beforehand(parts, expected):
    assert takes_long(parts) is expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Yes, it is.", id="sentence"),
        pytest.param("  hello \n", id="space-around"),
        pytest.param("a city\n\nand a centre", id="paragraphs"),
        pytest.param("x" * 1000, id="exactly-one-piece"),
        pytest.param("é" * 501, id="one-byte-too-long"),
        pytest.param("Assistant: Hello", id="role"),
        pytest.param("\n 助手：您好", id="chinese-role"),
        pytest.param("At nine citeturn0search1.", id="source"),
        pytest.param("At nine【4†source】", id="source-in-brackets"),
        pytest.param("At nine\ue200cite\ue202turn0search1\ue201", id="source-in-private-use"),
        pytest.param("one\r\ntwo", id="line-ends"),
        pytest.param("- a\n- b\n\n+ c", id="list"),
        pytest.param("12:30", id="time"),
    ],
)
def test_what_needs_no_reading_is_planned_as_if_it_were_read(text):
    answer = plain(text)

    assert texts(plan_answer([Text(text)])) == list(split(answer.text, whole=answer.verbatim))


@given(st.text(alphabet="acite turn0:A：I\n-†", max_size=40))
@settings(deadline=None)
def test_any_text_is_planned_as_if_it_were_read(text):
    assert texts(plan_answer([Text(text)])) == list(split(plain(text).text))
