"""A judge that finds nothing proves nothing: each broken promise is told from the others."""

from __future__ import annotations

import pytest

from qa.chaos.names import parts
from qa.chaos.record import Question, Record
from qa.chaos.verdict import violations

MIA = "mia"


def piece(answer: int, number: int, of: int, *names: str) -> str:
    return [part.text for part in parts(answer, names, of)][number - 1]


FIRST = [piece(1, 1, 2, "p0-0"), piece(1, 2, 2, "p0-0")]
SECOND = [piece(2, 1, 1, "p0-1")]


@pytest.fixture
def record():
    """Mia has said two things, the second after the first was accepted; both were asked."""
    record = Record()
    for name in ("p0-0", "p0-1"):
        record.say(MIA, name)
        record.post([name])
        record.accept([name])
        record.asked.append(Question(name, (name,)))
    return record


def sorts(record: Record, arrived: list[str]) -> list[str]:
    return [violation.sort for violation in violations(record, {MIA: arrived})]


def test_all_answered_once_and_in_order_is_right(record):
    assert sorts(record, FIRST + SECOND) == []


@pytest.mark.parametrize(
    ("arrived", "wrong"),
    [
        pytest.param(FIRST, ["lost"], id="no-answer"),
        pytest.param([FIRST[0], *SECOND], ["lost"], id="a-part-is-missing"),
        pytest.param([*FIRST, FIRST[1], *SECOND], ["doubled"], id="a-part-arrived-twice"),
        pytest.param([*FIRST, *SECOND, piece(3, 1, 1, "p0-1")], ["doubled"], id="two-answers"),
        pytest.param([*FIRST[::-1], *SECOND], ["overtaken"], id="parts-out-of-order"),
        pytest.param([FIRST[0], *SECOND, FIRST[1]], ["overtaken"], id="interrupted"),
        pytest.param(SECOND + FIRST, ["overtaken"], id="answers-out-of-order"),
        pytest.param([*FIRST, *SECOND, "Sorry!"], ["strange"], id="nobody-of-ours-said-that"),
        pytest.param([piece(1, 1, 1, "p0-1", "p0-0")], ["overtaken"], id="shuffled-within-a-turn"),
    ],
)
def test_what_arrived_shows_what_is_wrong(record, arrived, wrong):
    assert sorts(record, arrived) == wrong


@pytest.mark.parametrize(
    ("arrived", "cut", "wrong"),
    [
        pytest.param([FIRST[0], *SECOND], {"p0-0"}, [], id="its-rest-is-missing"),
        pytest.param([FIRST[0], *SECOND], {"p0-1"}, ["lost"], id="another-was-cut"),
        pytest.param([FIRST[1], *SECOND], {"p0-0"}, ["lost"], id="its-beginning-is-missing"),
        pytest.param(SECOND, {"p0-0"}, ["lost"], id="all-of-it-is-missing"),
        pytest.param([FIRST[0], *FIRST, *SECOND], {"p0-0"}, ["doubled"], id="doubled"),
    ],
)
def test_of_an_answer_that_broke_off_the_beginning_arrives_once(record, arrived, cut, wrong):
    assert [it.sort for it in violations(record, {MIA: arrived}, cut)] == wrong


def test_accepted_and_never_asked_is_lost(record):
    record.asked.pop()

    assert sorts(record, FIRST) == ["lost"]


def test_asking_in_the_wrong_order_is_overtaking(record):
    record.asked.reverse()

    assert sorts(record, FIRST + SECOND) == ["overtaken"]


def test_who_comes_late_may_be_answered_late():
    record = Record()
    for name in ("p0-0", "p0-1"):
        record.say(MIA, name)
    for name in ("p0-1", "p0-0"):
        record.post([name])
        record.accept([name])
        record.asked.append(Question(name, (name,)))

    assert sorts(record, SECOND + FIRST) == []


def test_messages_of_one_webhook_bind_each_other():
    record = Record()
    for name in ("p0-0", "p0-1"):
        record.say(MIA, name)
    record.post(["p0-0", "p0-1"])
    record.accept(["p0-0", "p0-1"])
    for name in ("p0-1", "p0-0"):
        record.asked.append(Question(name, (name,)))

    assert sorts(record, SECOND + FIRST) == ["overtaken", "overtaken"]


def test_what_was_never_accepted_needs_no_answer(record):
    record.say(MIA, "p0-2")
    record.post(["p0-2"])

    assert sorts(record, FIRST + SECOND) == []
