"""A stream's text is cut where nothing that is yet to come can change what was said."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ak_instagram.agents.agent import Handoff, Media, MessageEnd, Silence, Text, Withdrawn
from ak_instagram.agents.answers import clean
from ak_instagram.reply.finished import LEAST, FinishedMessages, in_messages
from ak_instagram.reply.leftovers import without_leftovers
from ak_instagram.reply.plan import plan_answer

LONG = "This is a sentence of a paragraph that is long enough. " * 5
ITEMS = "\n\n".join(f"{number}. {LONG}" for number in range(1, 4))
CODE = f"```\n{LONG}\n\n{LONG}\n```"
PICTURE = Media("image", "https://shop.example/1.jpg")
CORPUS = [
    answer["markdown"]
    for file in sorted((Path(__file__).parents[2] / "data" / "answers").glob("*.json"))
    for answer in json.loads(file.read_text())
]


def told(*texts, **options):
    """Return the texts that have been finished once all of *texts* came, and what is left."""
    messages = FinishedMessages(**options)
    messages.feed(map(Text, texts))
    finished = [part.text for part in messages.take() if isinstance(part, Text)]
    [*_, rest] = [*(part.text for part in messages.end() if isinstance(part, Text)), ""][:1]
    return finished, rest


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{LONG}\n\n", id="paragraph"),
        pytest.param(f"{LONG}\r\n\r\n", id="crlf"),
        pytest.param(f"{LONG}\n \t\n", id="blank-line-of-spaces"),
        pytest.param(f"Sure!\n\n{LONG}\n\n", id="short-one-before"),
        pytest.param(f"{CODE}\n\n", id="block-of-code"),
        pytest.param(f"> {LONG}\n\n", id="quote"),
        pytest.param("これは文です。" * 15 + "\n\n", id="counted-in-bytes"),
        pytest.param(f"<think>{LONG}\n\n{LONG}</think>\n\n{LONG}\n\n", id="behind-a-thought"),
        pytest.param(f"{LONG}See <https://shop.example>.\n\n", id="link-in-brackets"),
    ],
)
def test_a_paragraph_is_finished_at_the_blank_line_behind_it(text):
    assert told(text) == ([text], "")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LONG, id="no-blank-line"),
        pytest.param(f"{LONG}\n", id="line"),
        pytest.param("Sure!\n\n", id="too-short"),
        pytest.param(f"{LONG}\n\n"[: LEAST - 1] + "\n\n", id="one-byte-too-short"),
        pytest.param(f"```\n{LONG}\n\n{LONG}\n", id="open-block-of-code"),
        pytest.param(f"~~~~\n{LONG}\n~~~\n\n", id="shorter-fence-inside"),
        pytest.param(f"{ITEMS}\n\n", id="list"),
        pytest.param(f"{ITEMS}\n\n  More of the last item.\n\n", id="indented-behind-a-list"),
        pytest.param(f"{ITEMS}\n\n4", id="perhaps-an-item"),
        pytest.param(f"- {LONG}\n\nA.", id="perhaps-a-letter"),
        pytest.param(f"{LONG}\nThese are:\n\n", id="announces-a-list"),
        pytest.param(f"{LONG}\n## Prices\n\n", id="heading"),
        pytest.param(f"{LONG}\n**Prices**\n\n", id="bold-heading"),
        pytest.param(f"{LONG}\nAs [they][1] say.\n\n", id="link-that-is-defined-later"),
        pytest.param(f"{LONG}\nAs they say [1].\n\n", id="source-that-may-be-listed-later"),
        pytest.param(f"{LONG}\n<b>Now\n\n", id="tag-that-may-be-closed-later"),
        pytest.param(f"{LONG}\n\\[ x = 1\n\n", id="formula"),
        pytest.param(f"{LONG}\n<|channel|>\n\n", id="token-of-the-machinery"),
        pytest.param(f"<think>{LONG}\n\n", id="thought"),
        pytest.param(f"[THINK]{LONG}\n\n{LONG}\n\n", id="thought-in-brackets"),
        pytest.param(f"Okay, the user wants a cake. {LONG}\n\n", id="thought-that-nothing-begins"),
        pytest.param(f"首先，用户要一个蛋糕。{LONG}\n\n", id="the-same-in-chinese"),
    ],
)
def test_what_may_yet_change_is_not_finished(text):
    assert told(text)[0] == []


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        pytest.param(f"{ITEMS}\n\nWhich one", f"{ITEMS}\n\n", id="list-at-the-next-words"),
        pytest.param(f"{ITEMS}\n\n**So**, w", f"{ITEMS}\n\n", id="list-at-bold-words"),
        pytest.param(f"{LONG}\n\n{ITEMS}\n\n", f"{LONG}\n\n", id="paragraph-before-a-list"),
        pytest.param(f"{LONG}\n\n```\nx\n\n", f"{LONG}\n\n", id="paragraph-before-code"),
        pytest.param(f"{LONG}\n\n<think>Hm\n\n", f"{LONG}\n\n", id="paragraph-before-a-thought"),
    ],
)
def test_what_comes_next_shows_that_it_is_finished(text, finished):
    assert told(*text) == ([finished], text.removeprefix(finished))


def test_a_thought_that_nothing_began_is_known_at_its_end_and_expected_from_then_on():
    messages = FinishedMessages()
    messages.feed([Text(f"{LONG}</think>\n\n{LONG}\n\n")])

    assert clean(messages.take()) == [Text(f"{LONG}\n\n"), MessageEnd()]
    assert messages.ends_unbegun_thought
    assert told(f"{LONG}\n\n", thinks_first=True)[0] == []


def test_a_message_is_finished_when_its_agent_says_so_however_short():
    messages = FinishedMessages()
    messages.feed([Text("Let me "), Text("look"), MessageEnd(), PICTURE])

    assert messages.take() == [Text("Let me look"), MessageEnd()]
    assert messages.take() == []
    assert messages.end() == [PICTURE]


@pytest.mark.parametrize(
    ("parts", "finished"),
    [
        pytest.param([Text("<think>a"), MessageEnd(), Text("b")], 0, id="in-a-thought"),
        pytest.param([Handoff("why"), Text("hi"), MessageEnd()], 0, id="behind-a-handoff"),
        pytest.param([Silence(), Text(f"{LONG}\n\n")], 0, id="behind-a-silence"),
        pytest.param([Text("hi"), MessageEnd(), Handoff(), MessageEnd()], 2, id="before-a-handoff"),
        pytest.param([PICTURE, Text("hi"), MessageEnd()], 3, id="with-a-picture"),
        pytest.param([Text("```\nx"), MessageEnd()], 2, id="though-its-code-is-open"),
    ],
)
def test_parts_that_are_no_text_keep_their_place(parts, finished):
    messages = FinishedMessages()
    messages.feed(parts)

    assert messages.take() == parts[:finished]
    assert messages.end() == parts[finished:]


def test_what_is_withdrawn_is_neither_finished_nor_left():
    messages = FinishedMessages()
    messages.feed([PICTURE, Text(f"{LONG}\n\n"), MessageEnd(), Text("<think>"), Withdrawn()])
    messages.feed([Text("Yes."), MessageEnd()])

    assert messages.take() == [Text("Yes."), MessageEnd()]
    assert messages.end() == []


paragraphs = st.sampled_from([LONG, "Sure!", ITEMS, CODE, "Prices:", "**Prices**", "* x", "<i>y"])


@given(st.lists(paragraphs, max_size=8).map("\n\n".join), st.lists(st.integers(1, 80), min_size=1))
def test_however_a_text_comes_it_is_cut_in_the_same_places(text, sizes):
    messages, parts, at = FinishedMessages(), [], 0
    while at < len(text):
        size = sizes[at % len(sizes)]
        messages.feed([Text(text[at : at + size])])
        parts += messages.take()
        at += size

    assert [*parts, *messages.end()] == in_messages([Text(text)])


@pytest.mark.parametrize(
    "lead", [pytest.param("", id="alone"), pytest.param(f"{LONG}\n\n", id="later")]
)
def test_the_words_of_real_answers_are_those_of_the_whole(lead):
    # But for one: "Assistant:" in front of a later message is taken for a name as well.
    answers = [lead + it for it in CORPUS if not lead or without_leftovers(it) == it]

    for answer in answers:
        assert words(in_messages([Text(answer)])) == words([Text(answer)])
    assert len(answers) > len(CORPUS) / 2


def words(parts):
    """Return what a person reads of an answer, without white space."""
    return "".join("".join(str(it["text"]) for it in plan_answer(clean(parts)).messages).split())


def test_a_text_of_very_many_lines_is_read_once():
    messages = FinishedMessages()

    for _ in range(20_000):
        messages.feed([Text("- a\n\n")])
        assert messages.take() == []
