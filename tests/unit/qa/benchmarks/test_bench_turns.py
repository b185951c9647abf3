"""Whoever wrote was answered, with each call, exactly as often as they wrote."""

from __future__ import annotations

import pytest

from qa.benchmarks.journal import Arrival
from qa.benchmarks.turns import unlike

POSTED = {"anna": 1, "ben": 2}


def calls(who: str, times: int) -> list[Arrival]:
    """What arrives when *who* is answered so many *times*; the agent knows people by a session."""
    whats = [("mark_seen", who), ("typing_on", who), ("agent", f"session of {who}")]
    return [Arrival(what, whom, 0.0) for what, whom in [*whats, ("message", who)]] * times


ALL = [*calls("anna", 1), *calls("ben", 2)]


def test_nothing_is_unlike_when_all_were_answered_once():
    assert not list(unlike(POSTED, ALL))


@pytest.mark.parametrize(
    ("arrivals", "wrong"),
    [
        pytest.param(ALL[:-1], ["message for 1 people"], id="not-answered"),
        pytest.param([*ALL, ALL[-1]], ["message for 1 people"], id="answered-twice"),
        pytest.param(ALL[1:], ["mark_seen for 1 people"], id="a-courtesy-less"),
        pytest.param([*ALL, ALL[2]], ["4 questions for 3 messages"], id="asked-twice"),
        pytest.param(
            [*calls("anna", 1), *calls("eve", 2)],
            ["mark_seen for 1 people", "typing_on for 1 people", "message for 1 people"],
            id="answered-somebody-else",
        ),
    ],
)
def test_what_came_too_often_or_too_seldom_is_told(arrivals, wrong):
    assert list(unlike(POSTED, arrivals)) == wrong
