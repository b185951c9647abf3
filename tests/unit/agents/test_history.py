"""The history that a request repeats is bounded, newest first."""

from __future__ import annotations

import pytest

from ak_instagram.agents.agent import HistoryLine
from ak_instagram.agents.history import MAX_BYTES, MAX_LINE, newer_half, recent


def lines(*texts: str) -> tuple[HistoryLine, ...]:
    """Return *texts*, said in turns by the person and the assistant."""
    return tuple(
        HistoryLine("assistant" if at % 2 else "user", text) for at, text in enumerate(texts)
    )


def bytes_in(history: tuple[HistoryLine, ...]) -> int:
    return sum(len(line.text.encode()) for line in history)


def test_a_short_history_is_repeated_whole():
    assert recent(lines("hi", "Hello!")) == lines("hi", "Hello!")


@pytest.mark.parametrize("letter", ["a", "ß", "語", "🌷"])
def test_a_long_history_keeps_its_newest_lines_within_the_limit(letter):
    history = lines(*[f"{number}{letter * 900}" for number in range(20)])

    kept = recent(history)

    assert kept
    assert kept == history[-len(kept) :]
    assert MAX_BYTES // 2 < bytes_in(kept) <= MAX_BYTES


@pytest.mark.parametrize("letter", ["a", "ß", "語", "🌷"])
def test_a_long_line_is_cut_and_those_around_it_are_kept(letter):
    first, cut, last = recent(
        (
            HistoryLine("user", "hi"),
            HistoryLine("assistant", letter * 60_000),
            HistoryLine("user", "And?"),
        )
    )

    assert (first.text, last.text) == ("hi", "And?")
    assert MAX_LINE - 4 < len(cut.text.encode()) <= MAX_LINE
    assert cut.text.endswith(" …")


def test_an_answer_without_its_question_is_left_out():
    history = lines(*["x" * MAX_LINE] * 5)

    assert [line.role for line in recent(history)] == ["user", "assistant", "user"]
    assert recent(history[1:2]) == ()


@pytest.mark.parametrize(
    ("texts", "half"),
    [
        pytest.param(("aa", "bb", "cc", "dd"), ("cc", "dd"), id="even"),
        pytest.param(("aaaaaa", "b", "c", "d"), ("c", "d"), id="old-one-is-long"),
        pytest.param(("a", "b", "c", "dddddd"), (), id="newest-is-long"),
        pytest.param(("a",), (), id="single"),
        pytest.param(("", ""), (), id="empty-texts"),
        pytest.param((), (), id="none"),
    ],
)
def test_the_newer_half_is_measured_in_bytes_and_begins_with_the_person(texts, half):
    assert newer_half(lines(*texts)) == lines(*half)
