"""An account with an open circuit waits, is probed by one, and goes on once that works."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from ak_instagram.delivery.circuit_breaker import HELD, MAX_REFUSED, PROBE, CircuitBreaker
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.store.values import ALL_ACCOUNTS
from tests.support.fakes import FakeSteadyClock

DEAD_TOKEN = GraphError(ErrorClass.AUTHORIZATION, code=190, subcode=463)
LIMIT = GraphError(ErrorClass.RATE_LIMITED, code=613, retry_after=120)


def fail(
    circuit_breaker: CircuitBreaker,
    error: GraphError = DEAD_TOKEN,
    *,
    began: float = 0.0,
    by: str = "zoe",
) -> float:
    """Let a call that *began* then fail; return for how long the circuit is open."""
    return circuit_breaker.open("shop", by, began, error.error_class, str(error), error.retry_after)


def opened(error: GraphError = DEAD_TOKEN) -> tuple[CircuitBreaker, FakeSteadyClock, float]:
    """A circuit that a failed call has just opened, and for how long."""
    clock = FakeSteadyClock(100.0)
    circuit_breaker = CircuitBreaker(clock)
    return circuit_breaker, clock, fail(circuit_breaker, error)


def probe(circuit_breaker: CircuitBreaker, clock: FakeSteadyClock, contact: str = "anna") -> float:
    """Let the pause pass, and *contact* be the probe; return when its call begins."""
    clock.time += circuit_breaker.open_for("shop", contact)
    assert circuit_breaker.open_for("shop", contact) == 0
    return clock.time


def test_an_account_with_an_open_circuit_waits_and_others_do_not():
    circuit_breaker, _, pause = opened()

    assert circuit_breaker.open_for("shop", "anna") == pytest.approx(pause)
    assert circuit_breaker.open_for("cafe", "anna") == 0


def test_after_the_pause_one_conversation_is_the_probe():
    circuit_breaker, clock, _ = opened()

    probe(circuit_breaker, clock, "anna")

    assert circuit_breaker.open_for("shop", "ben") == pytest.approx(PROBE)
    assert circuit_breaker.open_for("shop", "anna") == 0, "its answer is to go out, too"


def test_another_is_the_probe_if_the_first_does_not_end_in_time():
    circuit_breaker, clock, _ = opened()
    probe(circuit_breaker, clock, "anna")
    clock.time += PROBE

    assert circuit_breaker.open_for("shop", "ben") == 0


def test_pauses_grow_with_each_failed_probe_and_stay_bounded():
    circuit_breaker, clock, first = opened()

    pauses = [fail(circuit_breaker, began=probe(circuit_breaker, clock)) for _ in range(10)]

    assert 15 <= first <= 30
    assert 30 <= pauses[0] <= 60
    assert 450 <= pauses[-1] <= 900


def test_calls_under_way_that_fail_together_are_one_failure():
    circuit_breaker, clock, pause = opened()

    for _ in range(100):
        assert fail(circuit_breaker, began=clock.time - 1) == pytest.approx(pause)

    assert circuit_breaker.open_for("shop", "anna") == pytest.approx(pause)


@pytest.mark.parametrize("error", [DEAD_TOKEN, LIMIT], ids=["stopped", "rate-limited"])
def test_a_call_under_way_that_works_does_not_close_the_circuit(error):
    circuit_breaker, clock, pause = opened(error)

    assert not circuit_breaker.record_success("shop", clock.time)

    assert circuit_breaker.open_for("shop", "ben") == pytest.approx(pause)


def test_after_a_rate_limit_all_go_on_and_the_next_pause_is_longer():
    circuit_breaker, clock, first = opened(GraphError(ErrorClass.RATE_LIMITED))
    clock.time += first

    assert [circuit_breaker.open_for("shop", person) for person in ("anna", "ben")] == [0, 0]

    second = fail(circuit_breaker, GraphError(ErrorClass.RATE_LIMITED), began=clock.time)
    assert 0.5 <= first <= 1 <= second <= 2


def test_meta_may_ask_for_a_longer_pause():
    _, _, pause = opened(LIMIT)

    assert pause == 120


def test_the_longest_pause_that_meta_asks_any_call_for_counts():
    circuit_breaker, _, _ = opened()

    assert fail(circuit_breaker, GraphError(ErrorClass.AUTHORIZATION, retry_after=1000)) == 1000


def test_a_dead_token_outweighs_a_rate_limit_and_not_the_reverse():
    limited, _, _ = opened(GraphError(ErrorClass.RATE_LIMITED))
    stopped, _, pause = opened()

    assert 15 <= fail(limited, DEAD_TOKEN) <= 30
    assert fail(stopped, GraphError(ErrorClass.RATE_LIMITED)) == pytest.approx(pause)


def test_a_probe_that_runs_into_a_rate_limit_leaves_the_circuit_open():
    circuit_breaker, clock, _ = opened()
    for _ in range(5):
        fail(circuit_breaker, began=probe(circuit_breaker, clock, "anna"))
    began = probe(circuit_breaker, clock, "anna")

    with capture_logs() as logs:
        pause = fail(circuit_breaker, GraphError(ErrorClass.RATE_LIMITED), began=began)

    assert 450 <= pause <= 900
    assert circuit_breaker.open_for("shop", "ben") == pytest.approx(pause)
    probe(circuit_breaker, clock, "ben")
    assert circuit_breaker.open_for("shop", "cleo") == pytest.approx(PROBE), (
        "one probes, the others wait"
    )
    assert logs == []


def test_a_rate_limit_does_not_lengthen_the_next_pauses():
    circuit_breaker, clock, _ = opened()

    pauses = [
        fail(
            circuit_breaker,
            GraphError(ErrorClass.RATE_LIMITED),
            began=probe(circuit_breaker, clock),
        )
        for _ in range(5)
    ]

    assert max(pauses) <= 30


def test_meta_may_ask_for_a_longer_pause_of_an_open_circuit():
    circuit_breaker, clock, _ = opened()

    assert fail(circuit_breaker, LIMIT, began=probe(circuit_breaker, clock)) == pytest.approx(120)


def test_a_probe_that_works_closes_the_circuit_once():
    circuit_breaker, clock, _ = opened()
    began = probe(circuit_breaker, clock)

    assert circuit_breaker.record_success("shop", began)
    assert circuit_breaker.open_for("shop", "ben") == 0
    assert not circuit_breaker.record_success("shop", began)


def test_the_account_is_logged_once_with_a_fix():
    with capture_logs() as logs:
        circuit_breaker, clock, _ = opened()
        fail(circuit_breaker)
        fail(circuit_breaker, began=probe(circuit_breaker, clock))
        circuit_breaker.record_success("shop", probe(circuit_breaker, clock))

    assert [line["event"] for line in logs] == ["account.stopped", "account.recovered"]
    assert "token" in logs[0]["fix"]


def test_the_contact_of_a_failed_probe_gives_way_to_the_others():
    circuit_breaker, clock, pause = opened()

    for person, other in (("zoe", "anna"), ("anna", "ben"), ("ben", "anna")):
        clock.time += pause
        assert circuit_breaker.open_for("shop", person) == pytest.approx(PROBE)
        assert circuit_breaker.open_for("shop", other) == 0
        pause = fail(circuit_breaker, began=clock.time, by=other)


def test_after_a_rate_limit_nobody_gives_way():
    circuit_breaker, clock, pause = opened(GraphError(ErrorClass.RATE_LIMITED))
    clock.time += pause

    assert circuit_breaker.open_for("shop", "zoe") == 0


def test_the_contact_of_a_failed_probe_is_the_next_if_there_is_no_other():
    circuit_breaker, clock, pause = opened()
    clock.time += pause + PROBE

    assert [circuit_breaker.open_for("shop", "zoe") for _ in range(2)] == [0, 0]


def test_the_last_success_is_known_without_an_open_circuit_too():
    circuit_breaker = CircuitBreaker()
    before = circuit_breaker.last_success("shop")

    circuit_breaker.record_success("shop", 20.0)
    circuit_breaker.record_success("shop", 10.0)

    assert (before, circuit_breaker.last_success("shop")) == (float("-inf"), 20.0)
    assert circuit_breaker.last_success("cafe") == float("-inf")


# --- refusals that may be of the whole app ------------------------------------


def refusals(circuit_breaker: CircuitBreaker, *contacts: str) -> list[int]:
    return [circuit_breaker.record_refusal("shop", contact) for contact in contacts]


def test_different_people_who_are_refused_in_a_row_are_counted():
    circuit_breaker = CircuitBreaker(FakeSteadyClock(100.0))

    assert refusals(circuit_breaker, "anna", "anna", "ben", "anna", "cleo") == [1, 1, 2, 2, 3]
    assert circuit_breaker.record_refusal("cafe", "anna") == 1


def test_a_success_begins_a_new_row_of_refusals():
    clock = FakeSteadyClock(100.0)
    circuit_breaker = CircuitBreaker(clock)
    refusals(circuit_breaker, "anna", "ben")
    circuit_breaker.record_success("shop", 101.0)
    clock.time = 102.0

    assert refusals(circuit_breaker, "cleo", "anna") == [1, 2]


def test_only_the_latest_people_who_were_refused_are_remembered():
    circuit_breaker = CircuitBreaker(FakeSteadyClock(100.0))
    people = [f"person-{number}" for number in range(MAX_REFUSED + 5)]

    assert refusals(circuit_breaker, *people)[-1] == MAX_REFUSED


@pytest.mark.parametrize(
    ("error", "is_told"),
    [pytest.param(DEAD_TOKEN, True, id="stopped"), pytest.param(LIMIT, False, id="rate-limited")],
)
def test_whom_it_concerns_hears_once_of_an_account_that_somebody_has_to_act_for(error, is_told):
    told: list[tuple[str, ErrorClass, str]] = []
    circuit_breaker = CircuitBreaker(
        FakeSteadyClock(), on_stopped=lambda *stopped: told.append(stopped)
    )

    for _ in range(3):
        fail(circuit_breaker, error)

    assert told == [("shop", error.error_class, str(error))][not is_told :]


@pytest.mark.parametrize(
    ("held", "waits"),
    [
        pytest.param({"shop"}, ("shop",), id="one"),
        pytest.param({ALL_ACCOUNTS}, ("shop", "cafe"), id="all"),
    ],
)
def test_what_an_operator_holds_waits_without_a_probe(held, waits):
    circuit_breaker = CircuitBreaker(FakeSteadyClock())

    circuit_breaker.held = frozenset(held)

    found = {
        (account, person): circuit_breaker.open_for(account, person)
        for account in ("shop", "cafe")
        for person in ("anna", "ben")
    }
    assert found == {it: HELD if it[0] in waits else 0 for it in found}
