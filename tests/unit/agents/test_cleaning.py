"""An answer is clean before anything is made of it: no thoughts, nothing that can't be stored."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from ak_instagram.agents.agent import (
    Button,
    Buttons,
    Card,
    Cards,
    Handoff,
    MessageEnd,
    Silence,
    Text,
)
from ak_instagram.agents.answers import clean
from ak_instagram.errors import Transient
from ak_instagram.reply.plan import plan_answer

ANSWER = "We open at nine."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ANSWER, id="none"),
        pytest.param(f"<think>margin 40 %</think>{ANSWER}", id="think"),
        pytest.param(f"<think>\n\n</think>\n\n{ANSWER}", id="empty"),
        pytest.param(f"\n<Thinking>a\n\nb</Thinking>\n{ANSWER}\n", id="thinking"),
        pytest.param(f"<thought>a</thought><reasoning>b</reasoning>{ANSWER}", id="two"),
        pytest.param(f"margin 40 %</think>{ANSWER}", id="lone-end"),
        pytest.param(f"a</think>b</think>{ANSWER}", id="two-lone-ends"),
        pytest.param(f"<think>a <think>b</think> c</think>{ANSWER}", id="nested"),
        pytest.param(f"<think>the tag <think> is a</think>{ANSWER}", id="named-inside"),
        pytest.param("We open <think>when?</think>at nine.", id="between"),
        pytest.param(f"{ANSWER}<think>done</think>", id="behind"),
        pytest.param(f"[THINK]a[/THINK]{ANSWER}", id="square"),
        pytest.param(f"◁think▷a◁/think▷{ANSWER}", id="triangles"),
        pytest.param(f"<seed:think>a</seed:think>{ANSWER}", id="seed"),
        pytest.param(
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant"
            f"<|channel|>final<|message|>{ANSWER}",
            id="channels",
        ),
    ],
)
def test_only_the_answer_is_left(text):
    assert clean([Text(text)]) == [Text(ANSWER)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<think>The customer asks when we", id="cut"),
        pytest.param(f"<think>a</think>{ANSWER}<think>b", id="second-is-cut"),
        pytest.param("<|channel|>analysis<|message|>The customer", id="channel-is-cut"),
    ],
)
def test_a_thought_without_an_end_is_a_failure_that_may_pass(text):
    with pytest.raises(Transient, match="within a thought"):
        clean([Text(text)])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("I <3 to think > sleep", id="signs"),
        pytest.param("  a < b  ", id="space-around"),
        pytest.param("<thinker> and </b>", id="other-tags"),
    ],
)
def test_words_about_thinking_stay(text):
    assert clean([Text(text)]) == [Text(text)]


def test_thoughts_alone_leave_nothing():
    assert clean([Text("<think>a</think>\n")]) == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param(
            [Text("<thi"), Text("nk>a</think"), Text(">b")], [Text("b")], id="tags-in-a-stream"
        ),
        pytest.param(
            [Text("<think>a"), MessageEnd(), Text("b</think>c")],
            [MessageEnd(), Text("c")],
            id="over-two-messages",
        ),
        pytest.param(
            [Text("a"), MessageEnd(), Text("b</think>c"), MessageEnd()],
            [MessageEnd(), Text("c"), MessageEnd()],
            id="lone-end-in-the-second-message",
        ),
        pytest.param(
            [Text("<think>a"), Handoff("angry"), Text("</think>b")],
            [Handoff("angry"), Text("b")],
            id="handoff-amid-a-thought",
        ),
    ],
)
def test_thoughts_run_over_parts_and_what_is_no_text_stays(parts, expected):
    assert clean(parts) == expected


def test_texts_that_run_on_are_one():
    parts: list[Any] = [Text("a"), Text("b"), MessageEnd(), Text("c"), Silence()]

    assert clean(parts) == [Text("ab"), MessageEnd(), Text("c"), Silence()]


UNCLEAN = "a\ud83d \0b"
CLEAN = "a\ufffd \ufffdb"
BUTTON = Button(UNCLEAN, url=f"https://a.de/{UNCLEAN}")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([Text(UNCLEAN)], [CLEAN], id="text"),
        pytest.param([Text("\ud83d"), Text("\ude00")], ["😀"], id="character-across-parts"),
        pytest.param([Text("\ud83d"), MessageEnd(), Text("\ude00")], ["\ufffd"] * 2, id="halves"),
        pytest.param([Text(f"**{UNCLEAN}** " * 90)], None, id="long"),
        pytest.param(
            [Buttons(UNCLEAN, (BUTTON,))],
            [f"{CLEAN}\n{CLEAN}: https://a.de/{CLEAN}"],
            id="buttons",
        ),
        pytest.param([Buttons(UNCLEAN, cast("Any", [BUTTON]))], None, id="a-list-of-buttons"),
        pytest.param([Cards((Card(UNCLEAN, UNCLEAN, buttons=(BUTTON,)),))], None, id="cards"),
    ],
)
def test_what_is_planned_of_clean_parts_can_be_stored(parts: Any, expected):
    messages = plan_answer(clean(parts)).messages

    assert expected is None or [message["text"] for message in messages] == expected
    assert messages
    stored = json.dumps(messages, ensure_ascii=False)
    assert stored.encode()
    assert "\\u0000" not in stored


def test_the_reason_of_a_handoff_can_be_stored():
    assert clean([Handoff(UNCLEAN)]) == [Handoff(CLEAN)]


def test_many_thoughts_take_time_that_grows_with_their_number():
    parts = [part for _ in range(3000) for part in (Text("a</think>"), MessageEnd())]

    assert clean(parts) == [MessageEnd()] * 3000
