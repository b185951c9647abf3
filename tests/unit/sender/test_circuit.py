"""A blocked account is left alone, tried by one at a time, and free once that works."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from ak_instagram.sender.circuit import PROBE, Circuits
from ak_instagram.sender.graph_codes import ErrorClass
from ak_instagram.sender.graph_errors import GraphError

DEAD_TOKEN = GraphError(ErrorClass.AUTHORIZATION, code=190, subcode=463)
LIMIT = GraphError(ErrorClass.RATE_LIMITED, code=613, retry_after=120)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def trip(
    circuits: Circuits, error: GraphError = DEAD_TOKEN, *, began: float = 0.0, by: str = "zoe"
) -> float:
    return circuits.trip("shop", by, began, error, error.error_class)


def tripped(error: GraphError = DEAD_TOKEN) -> tuple[Circuits, Clock, float]:
    """An account that a send has just shown to be blocked, and for how long."""
    clock = Clock()
    circuits = Circuits(clock)
    return circuits, clock, trip(circuits, error)


def let_through(circuits: Circuits, clock: Clock, contact: str = "anna") -> float:
    """Let the pause pass, and *contact* try; return when its send begins."""
    clock.now += circuits.wait("shop", contact)
    assert circuits.wait("shop", contact) == 0
    return clock.now


def test_a_blocked_account_waits_and_others_do_not():
    circuits, _, pause = tripped()

    assert circuits.wait("shop", "anna") == pytest.approx(pause)
    assert circuits.wait("cafe", "anna") == 0


def test_after_the_pause_one_is_let_through_to_try():
    circuits, clock, _ = tripped()

    let_through(circuits, clock, "anna")

    assert circuits.wait("shop", "ben") == pytest.approx(PROBE)
    assert circuits.wait("shop", "anna") == 0, "its answer is to go out, too"


def test_another_may_try_if_the_first_has_not_said_how_it_went():
    circuits, clock, _ = tripped()
    let_through(circuits, clock, "anna")
    clock.now += PROBE

    assert circuits.wait("shop", "ben") == 0


def test_pauses_grow_with_each_try_and_stay_bounded():
    circuits, clock, first = tripped()

    pauses = [trip(circuits, began=let_through(circuits, clock)) for _ in range(10)]

    assert 15 <= first <= 30
    assert 30 <= pauses[0] <= 60
    assert 450 <= pauses[-1] <= 900


def test_many_sends_under_way_that_fail_together_are_one_failure():
    circuits, clock, pause = tripped()

    for _ in range(100):
        assert trip(circuits, began=clock.now - 1) == pytest.approx(pause)

    assert circuits.wait("shop", "anna") == pytest.approx(pause)


@pytest.mark.parametrize("error", [DEAD_TOKEN, LIMIT], ids=["stopped", "resting"])
def test_a_send_that_was_under_way_and_arrives_does_not_end_the_pause(error):
    circuits, clock, pause = tripped(error)

    assert not circuits.heal("shop", clock.now)

    assert circuits.wait("shop", "ben") == pytest.approx(pause)


def test_after_a_rate_limits_pause_all_go_on_and_a_further_one_is_longer():
    circuits, clock, first = tripped(GraphError(ErrorClass.RATE_LIMITED))
    clock.now += first

    assert [circuits.wait("shop", person) for person in ("anna", "ben")] == [0, 0]

    second = trip(circuits, GraphError(ErrorClass.RATE_LIMITED), began=clock.now)
    assert 0.5 <= first <= 1 <= second <= 2


def test_meta_may_ask_for_a_longer_pause():
    _, _, pause = tripped(LIMIT)

    assert pause == 120


def test_the_longest_pause_that_meta_asks_any_of_them_for_counts():
    circuits, _, _ = tripped()

    assert trip(circuits, GraphError(ErrorClass.AUTHORIZATION, retry_after=1000)) == 1000


def test_a_dead_token_outweighs_a_limit_and_not_the_other_way_round():
    limited, _, _ = tripped(GraphError(ErrorClass.RATE_LIMITED))
    stopped, _, pause = tripped()

    assert 15 <= trip(limited, DEAD_TOKEN) <= 30
    assert trip(stopped, GraphError(ErrorClass.RATE_LIMITED)) == pytest.approx(pause)


def test_a_try_that_a_limit_stops_says_nothing_about_the_block():
    circuits, clock, _ = tripped()
    for _ in range(5):
        trip(circuits, began=let_through(circuits, clock, "anna"))
    began = let_through(circuits, clock, "anna")

    with capture_logs() as logs:
        pause = trip(circuits, GraphError(ErrorClass.RATE_LIMITED), began=began)

    assert 450 <= pause <= 900
    assert circuits.wait("shop", "ben") == pytest.approx(pause)
    let_through(circuits, clock, "ben")
    assert circuits.wait("shop", "cleo") == pytest.approx(PROBE), "one tries, the others wait"
    assert logs == []


def test_a_limit_does_not_lengthen_the_next_pauses_of_a_block():
    circuits, clock, _ = tripped()

    pauses = [
        trip(circuits, GraphError(ErrorClass.RATE_LIMITED), began=let_through(circuits, clock))
        for _ in range(5)
    ]

    assert max(pauses) <= 30


def test_meta_may_ask_a_blocked_account_to_wait_for_longer():
    circuits, clock, _ = tripped()

    assert trip(circuits, LIMIT, began=let_through(circuits, clock)) == pytest.approx(120)


def test_a_healed_account_is_free():
    circuits, clock, _ = tripped()
    began = let_through(circuits, clock)

    assert circuits.heal("shop", began)
    assert circuits.wait("shop", "ben") == 0
    assert not circuits.heal("shop", began)


def test_it_is_said_once_and_with_what_helps():
    with capture_logs() as logs:
        circuits, clock, _ = tripped()
        trip(circuits)
        trip(circuits, began=let_through(circuits, clock))
        circuits.heal("shop", let_through(circuits, clock))

    assert [line["event"] for line in logs] == ["account.stopped", "account.healed"]
    assert "token" in logs[0]["fix"]


def test_who_has_tried_in_vain_gives_way_to_the_others():
    circuits, clock, pause = tripped()

    for person, other in (("zoe", "anna"), ("anna", "ben"), ("ben", "anna")):
        clock.now += pause
        assert circuits.wait("shop", person) == pytest.approx(PROBE)
        assert circuits.wait("shop", other) == 0
        pause = trip(circuits, began=clock.now, by=other)


def test_after_a_rate_limits_pause_nobody_gives_way():
    circuits, clock, pause = tripped(GraphError(ErrorClass.RATE_LIMITED))
    clock.now += pause

    assert circuits.wait("shop", "zoe") == 0


def test_who_has_tried_in_vain_tries_again_if_there_is_nobody_else():
    circuits, clock, pause = tripped()
    clock.now += pause + PROBE

    assert [circuits.wait("shop", "zoe") for _ in range(2)] == [0, 0]


def test_when_an_account_last_worked_is_known_without_a_block_too():
    circuits = Circuits()
    before = circuits.last_worked("shop")

    circuits.heal("shop", 20.0)
    circuits.heal("shop", 10.0)

    assert (before, circuits.last_worked("shop")) == (float("-inf"), 20.0)
    assert circuits.last_worked("cafe") == float("-inf")
