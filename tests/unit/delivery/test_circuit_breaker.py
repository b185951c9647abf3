"""A blocked account is left alone, tried by one at a time, and free once that works."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from ak_instagram.delivery.circuit_breaker import PROBE, CircuitBreaker
from ak_instagram.meta.graph_codes import ErrorClass
from ak_instagram.meta.graph_errors import GraphError

DEAD_TOKEN = GraphError(ErrorClass.AUTHORIZATION, code=190, subcode=463)
LIMIT = GraphError(ErrorClass.RATE_LIMITED, code=613, retry_after=120)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def trip(
    circuit_breaker: CircuitBreaker,
    error: GraphError = DEAD_TOKEN,
    *,
    began: float = 0.0,
    by: str = "zoe",
) -> float:
    return circuit_breaker.trip("shop", by, began, error, error.error_class)


def tripped(error: GraphError = DEAD_TOKEN) -> tuple[CircuitBreaker, Clock, float]:
    """An account that a send has just shown to be blocked, and for how long."""
    clock = Clock()
    circuit_breaker = CircuitBreaker(clock)
    return circuit_breaker, clock, trip(circuit_breaker, error)


def let_through(circuit_breaker: CircuitBreaker, clock: Clock, contact: str = "anna") -> float:
    """Let the pause pass, and *contact* try; return when its send begins."""
    clock.now += circuit_breaker.wait("shop", contact)
    assert circuit_breaker.wait("shop", contact) == 0
    return clock.now


def test_a_blocked_account_waits_and_others_do_not():
    circuit_breaker, _, pause = tripped()

    assert circuit_breaker.wait("shop", "anna") == pytest.approx(pause)
    assert circuit_breaker.wait("cafe", "anna") == 0


def test_after_the_pause_one_is_let_through_to_try():
    circuit_breaker, clock, _ = tripped()

    let_through(circuit_breaker, clock, "anna")

    assert circuit_breaker.wait("shop", "ben") == pytest.approx(PROBE)
    assert circuit_breaker.wait("shop", "anna") == 0, "its answer is to go out, too"


def test_another_may_try_if_the_first_has_not_said_how_it_went():
    circuit_breaker, clock, _ = tripped()
    let_through(circuit_breaker, clock, "anna")
    clock.now += PROBE

    assert circuit_breaker.wait("shop", "ben") == 0


def test_pauses_grow_with_each_try_and_stay_bounded():
    circuit_breaker, clock, first = tripped()

    pauses = [trip(circuit_breaker, began=let_through(circuit_breaker, clock)) for _ in range(10)]

    assert 15 <= first <= 30
    assert 30 <= pauses[0] <= 60
    assert 450 <= pauses[-1] <= 900


def test_many_sends_under_way_that_fail_together_are_one_failure():
    circuit_breaker, clock, pause = tripped()

    for _ in range(100):
        assert trip(circuit_breaker, began=clock.now - 1) == pytest.approx(pause)

    assert circuit_breaker.wait("shop", "anna") == pytest.approx(pause)


@pytest.mark.parametrize("error", [DEAD_TOKEN, LIMIT], ids=["stopped", "resting"])
def test_a_send_that_was_under_way_and_arrives_does_not_end_the_pause(error):
    circuit_breaker, clock, pause = tripped(error)

    assert not circuit_breaker.heal("shop", clock.now)

    assert circuit_breaker.wait("shop", "ben") == pytest.approx(pause)


def test_after_a_rate_limits_pause_all_go_on_and_a_further_one_is_longer():
    circuit_breaker, clock, first = tripped(GraphError(ErrorClass.RATE_LIMITED))
    clock.now += first

    assert [circuit_breaker.wait("shop", person) for person in ("anna", "ben")] == [0, 0]

    second = trip(circuit_breaker, GraphError(ErrorClass.RATE_LIMITED), began=clock.now)
    assert 0.5 <= first <= 1 <= second <= 2


def test_meta_may_ask_for_a_longer_pause():
    _, _, pause = tripped(LIMIT)

    assert pause == 120


def test_the_longest_pause_that_meta_asks_any_of_them_for_counts():
    circuit_breaker, _, _ = tripped()

    assert trip(circuit_breaker, GraphError(ErrorClass.AUTHORIZATION, retry_after=1000)) == 1000


def test_a_dead_token_outweighs_a_limit_and_not_the_other_way_round():
    limited, _, _ = tripped(GraphError(ErrorClass.RATE_LIMITED))
    stopped, _, pause = tripped()

    assert 15 <= trip(limited, DEAD_TOKEN) <= 30
    assert trip(stopped, GraphError(ErrorClass.RATE_LIMITED)) == pytest.approx(pause)


def test_a_try_that_a_limit_stops_says_nothing_about_the_block():
    circuit_breaker, clock, _ = tripped()
    for _ in range(5):
        trip(circuit_breaker, began=let_through(circuit_breaker, clock, "anna"))
    began = let_through(circuit_breaker, clock, "anna")

    with capture_logs() as logs:
        pause = trip(circuit_breaker, GraphError(ErrorClass.RATE_LIMITED), began=began)

    assert 450 <= pause <= 900
    assert circuit_breaker.wait("shop", "ben") == pytest.approx(pause)
    let_through(circuit_breaker, clock, "ben")
    assert circuit_breaker.wait("shop", "cleo") == pytest.approx(PROBE), (
        "one tries, the others wait"
    )
    assert logs == []


def test_a_limit_does_not_lengthen_the_next_pauses_of_a_block():
    circuit_breaker, clock, _ = tripped()

    pauses = [
        trip(
            circuit_breaker,
            GraphError(ErrorClass.RATE_LIMITED),
            began=let_through(circuit_breaker, clock),
        )
        for _ in range(5)
    ]

    assert max(pauses) <= 30


def test_meta_may_ask_a_blocked_account_to_wait_for_longer():
    circuit_breaker, clock, _ = tripped()

    assert trip(circuit_breaker, LIMIT, began=let_through(circuit_breaker, clock)) == pytest.approx(
        120
    )


def test_a_healed_account_is_free():
    circuit_breaker, clock, _ = tripped()
    began = let_through(circuit_breaker, clock)

    assert circuit_breaker.heal("shop", began)
    assert circuit_breaker.wait("shop", "ben") == 0
    assert not circuit_breaker.heal("shop", began)


def test_it_is_said_once_and_with_what_helps():
    with capture_logs() as logs:
        circuit_breaker, clock, _ = tripped()
        trip(circuit_breaker)
        trip(circuit_breaker, began=let_through(circuit_breaker, clock))
        circuit_breaker.heal("shop", let_through(circuit_breaker, clock))

    assert [line["event"] for line in logs] == ["account.stopped", "account.recovered"]
    assert "token" in logs[0]["fix"]


def test_who_has_tried_in_vain_gives_way_to_the_others():
    circuit_breaker, clock, pause = tripped()

    for person, other in (("zoe", "anna"), ("anna", "ben"), ("ben", "anna")):
        clock.now += pause
        assert circuit_breaker.wait("shop", person) == pytest.approx(PROBE)
        assert circuit_breaker.wait("shop", other) == 0
        pause = trip(circuit_breaker, began=clock.now, by=other)


def test_after_a_rate_limits_pause_nobody_gives_way():
    circuit_breaker, clock, pause = tripped(GraphError(ErrorClass.RATE_LIMITED))
    clock.now += pause

    assert circuit_breaker.wait("shop", "zoe") == 0


def test_who_has_tried_in_vain_tries_again_if_there_is_nobody_else():
    circuit_breaker, clock, pause = tripped()
    clock.now += pause + PROBE

    assert [circuit_breaker.wait("shop", "zoe") for _ in range(2)] == [0, 0]


def test_when_an_account_last_worked_is_known_without_a_block_too():
    circuit_breaker = CircuitBreaker()
    before = circuit_breaker.last_worked("shop")

    circuit_breaker.heal("shop", 20.0)
    circuit_breaker.heal("shop", 10.0)

    assert (before, circuit_breaker.last_worked("shop")) == (float("-inf"), 20.0)
    assert circuit_breaker.last_worked("cafe") == float("-inf")
