"""Delivery sends a piece, and carries each decision out in the store and the circuit breaker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from ak_instagram.backoff import Backoff
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.decide import ECHO_WAIT
from ak_instagram.delivery.delivery import LOOK_UPS, PATIENCE, Delivery
from ak_instagram.delivery.rate_limit import RateLimiter
from ak_instagram.delivery.reconcile import TIMEOUT
from ak_instagram.errors import LeaseLost, StoreUnavailable
from ak_instagram.meta.graph.client import RecentMessage
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.meta.outgoing import FETCH_SECONDS, Outgoing, attachment, reaction
from ak_instagram.settings.model import Account
from ak_instagram.store.values import Claim, Piece, PieceStatus, WaitReason
from tests.support.fakes import FakeGraph, FakeSteadyClock, FakeStore

ATTEMPT_BEGAN = 1_800_000_000_000
LONG_AFTER = ATTEMPT_BEGAN + 60_000  # an attempt's echo had its time
PLANNED, SENDING = PieceStatus.PLANNED, PieceStatus.SENDING
ACCOUNT, OTHER = WaitReason.ACCOUNT, WaitReason.OTHER
SHOP = Account("token", "shop")
PERHAPS_BLOCKED = GraphError(ErrorClass.TRANSIENT, code=2)
LINKS_REFUSED = GraphError(ErrorClass.TRANSIENT, code=508, subcode=2534122)
PERHAPS_FORBIDDEN = GraphError(ErrorClass.OUTCOME_UNKNOWN, code=1, subcode=99)


HELLO: Outgoing = {"text": "hello"}
FILM = attachment("video", {"url": "https://shop.example/a.mp4"}, [{"text": "the link"}])
REACTION = reaction("m1", "❤", [{"text": "❤"}])
VAGUE = GraphError(ErrorClass.BAD_REQUEST, code=100)


def piece(
    number: int = 7,
    *,
    attempt: int = 1,
    outcome_unknown: bool = False,
    is_over: bool = False,
    message: Outgoing = HELLO,
) -> Piece:
    at = ATTEMPT_BEGAN
    return Piece(number, "turn", 0, message, attempt, outcome_unknown, at, at, is_over)


async def no_sleep(_seconds: float) -> None:
    """Pass the time at once."""


def delivery(
    store: FakeStore,
    graph: FakeGraph,
    circuit_breaker: CircuitBreaker | None = None,
    **changes: Any,
) -> Delivery:
    values: dict[str, Any] = {
        "store": store,
        "graph": graph,
        "circuit_breaker": circuit_breaker or CircuitBreaker(FakeSteadyClock()),
        "rate": RateLimiter(100),
        "backoff": Backoff(max_attempts=3, chance=lambda: 0.0),
        "sleep": no_sleep,
    }
    return Delivery(**(values | changes))


async def deliver(
    sends: Delivery, of: Piece, *, failures: int = 0, account: Account | None = SHOP
) -> Claim | None:
    claim = Claim("shop", "anna", 1, failures=failures, piece=of)
    return await sends.deliver(claim, of, account)


async def deliver_at(sends: Delivery, clock: FakeSteadyClock, *times: float) -> None:
    """Deliver a piece at each of these *times*, as it comes back from the store."""
    for number, clock.time in enumerate(times, start=1):
        await deliver(sends, piece(attempt=number))


def open_circuit(circuit_breaker: CircuitBreaker) -> None:
    """Let another conversation find that the account's token is dead."""
    began = circuit_breaker.now()
    circuit_breaker.open("shop", "zoe", began, ErrorClass.AUTHORIZATION, "the token is dead")


def recent(**changes: Any) -> RecentMessage:
    values: dict[str, Any] = {
        "mid": "mid-9",
        "text": "hello",
        "from_id": "shop",
        "created_at": ATTEMPT_BEGAN,
    }
    return RecentMessage(**(values | changes))


# --- sending ----------------------------------------------------------------


async def test_a_piece_that_meta_takes_is_noted_as_sent():
    store, graph = FakeStore(), FakeGraph()

    await deliver(delivery(store, graph), piece())

    assert graph.sent == [{"text": "hello"}]
    assert store.log == [("sent", "mid-1")]


@pytest.mark.parametrize(
    ("error", "failures", "noted"),
    [
        pytest.param(GraphError(ErrorClass.TRANSIENT), 0, ("retry", 1, PLANNED, None), id="retry"),
        pytest.param(
            GraphError(ErrorClass.TRANSIENT), 2, ("give_up", "gave up: transient"), id="give-up"
        ),
        pytest.param(
            GraphError(ErrorClass.OUTCOME_UNKNOWN),
            99,
            ("retry", ECHO_WAIT, SENDING, OTHER),
            id="look-up",
        ),
        pytest.param(
            GraphError(ErrorClass.RATE_LIMITED, retry_after=120),
            99,
            ("retry", 120, PLANNED, ACCOUNT),
            id="open-circuit",
        ),
        pytest.param(GraphError(ErrorClass.WINDOW_CLOSED), 0, ("close_window",), id="park"),
    ],
)
async def test_a_decision_is_noted_in_the_store_once(error, failures, noted):
    store, graph = FakeStore(), FakeGraph(errors=[error])

    await deliver(delivery(store, graph), piece(), failures=failures)

    assert store.log == [noted]
    assert store.failed is not None
    assert (store.failed.what, store.failed.outcome) == ("send", error.error_class.value)


@pytest.mark.parametrize(
    ("success_at", "wait_reason"),
    [
        pytest.param(None, ACCOUNT, id="nothing-else-works-either"),
        pytest.param(0.5, ACCOUNT, id="it-worked-before-that"),
        pytest.param(50.0, None, id="it-works-for-others"),
    ],
)
async def test_the_account_is_to_blame_unless_it_worked_lately(success_at, wait_reason):
    clock = FakeSteadyClock()
    store, graph = FakeStore(), FakeGraph(errors=[LINKS_REFUSED] * 3)
    circuit_breaker = CircuitBreaker(clock)
    if success_at is not None:
        circuit_breaker.record_success("shop", success_at)

    await deliver_at(delivery(store, graph, circuit_breaker), clock, 1.0, 2.0, 61.0)

    verb, _, *rest = store.log[-1]
    assert (verb, rest) == ("retry", [PLANNED, wait_reason])
    assert (circuit_breaker.open_for("shop", "ben") > 0) == (wait_reason is ACCOUNT)


async def test_other_failures_do_not_count_towards_what_an_error_means():
    clock, down = FakeSteadyClock(), GraphError(ErrorClass.TRANSIENT)
    store, graph = FakeStore(), FakeGraph(errors=[PERHAPS_BLOCKED, PERHAPS_BLOCKED, down] * 2)

    await deliver_at(delivery(store, graph), clock, *range(0, 600, 100))

    assert [entry[0] for entry in store.log] == ["retry"] * 6


async def test_a_second_refusal_does_not_stop_the_account_while_others_go_out():
    clock, error = FakeSteadyClock(), GraphError(ErrorClass.ACCOUNT_RESTRICTED, code=368)
    store, graph = FakeStore(), FakeGraph(errors=[error] * 2)
    circuit_breaker = CircuitBreaker(clock)
    sends = delivery(store, graph, circuit_breaker)
    await deliver_at(sends, clock, 1.0)
    stopped_for = circuit_breaker.open_for("shop", "ben")
    circuit_breaker.record_success("shop", 50.0)

    await deliver_at(sends, clock, 51.0)

    assert stopped_for >= 15
    assert circuit_breaker.open_for("shop", "ben") == 0
    assert store.log[-1] == ("retry", 1.0, PLANNED, None)


async def test_a_second_refusal_stops_the_account_while_nothing_goes_out():
    clock, error = FakeSteadyClock(), GraphError(ErrorClass.AUTHORIZATION, code=10)
    store, graph = FakeStore(), FakeGraph(errors=[error] * 3)
    circuit_breaker = CircuitBreaker(clock)
    sends = delivery(store, graph, circuit_breaker)
    await deliver_at(sends, clock, 1.0)
    circuit_breaker.record_success("shop", 50.0)

    await deliver_at(sends, clock, 51.0, 112.0)

    assert circuit_breaker.open_for("shop", "ben") >= 15
    assert store.log[-1][2:] == (PLANNED, ACCOUNT)


@pytest.mark.parametrize(
    ("left", "message", "timeout"),
    [
        pytest.param(30.0, HELLO, TIMEOUT, id="long"),
        pytest.param(4.5, HELLO, 3.5, id="short"),
        pytest.param(30.0, FILM, 29.0, id="film"),
        pytest.param(300.0, FILM, FETCH_SECONDS + TIMEOUT, id="film-and-a-long-lease"),
    ],
)
async def test_a_send_is_over_before_the_lease_is(left, message, timeout):
    class Timed(FakeGraph):
        async def send_message(self, *arguments: Any) -> str:
            self.timeout = arguments[-1]
            return await super().send_message(*arguments)

    graph = Timed()

    await deliver(delivery(FakeStore(left=left), graph), piece(message=message))

    assert graph.timeout == timeout


async def test_nothing_is_sent_when_the_lease_has_run_out_meanwhile():
    store, graph = FakeStore(left=0.5), FakeGraph()

    with pytest.raises(LeaseLost):
        await deliver(delivery(store, graph), piece())

    assert graph.calls == []


# --- waiting ----------------------------------------------------------------


async def test_a_piece_of_an_account_that_is_gone_is_given_up():
    store, graph = FakeStore(), FakeGraph()

    await deliver(delivery(store, graph), piece(), account=None)

    assert (graph.calls, [entry[0] for entry in store.log]) == ([], ["give_up"])


@pytest.mark.parametrize(
    ("outcome_unknown", "status"),
    [pytest.param(False, PLANNED, id="planned"), pytest.param(True, SENDING, id="in-doubt")],
)
async def test_a_piece_waits_for_a_blocked_account_without_a_call(outcome_unknown, status):
    store, graph, circuit_breaker = FakeStore(), FakeGraph(), CircuitBreaker(FakeSteadyClock())
    open_circuit(circuit_breaker)

    await deliver(delivery(store, graph, circuit_breaker), piece(outcome_unknown=outcome_unknown))

    assert graph.calls == []
    [(verb, _, *rest)] = store.log
    assert (verb, rest) == ("retry", [status, ACCOUNT])


async def test_a_piece_that_waits_for_its_slot_is_not_sent_once_the_circuit_opens():
    store, graph, circuit_breaker = FakeStore(), FakeGraph(), CircuitBreaker(FakeSteadyClock())

    async def meanwhile(_seconds: float) -> None:
        open_circuit(circuit_breaker)

    rate = RateLimiter(1, now=FakeSteadyClock())
    rate.reserve("shop", 1, PATIENCE)

    await deliver(delivery(store, graph, circuit_breaker, rate=rate, sleep=meanwhile), piece())

    [(verb, _, *rest)] = store.log
    assert (graph.calls, verb, rest) == ([], "retry", [PLANNED, ACCOUNT])


async def test_a_piece_that_would_wait_for_long_is_handed_back_to_the_store():
    store, graph, rate = FakeStore(), FakeGraph(), RateLimiter(1, now=FakeSteadyClock())
    rate.reserve("shop", 9, PATIENCE)
    busy = delivery(store, graph, rate=rate)

    for number in (1, 2, 3):
        await deliver(busy, piece(number))

    assert graph.sent == [{"text": "hello"}]
    assert store.log == [
        ("sent", "mid-1"),
        ("retry", 2.0, PLANNED, OTHER),
        ("retry", 3.0, PLANNED, OTHER),
    ]


async def test_films_have_a_lane_of_their_own():
    clock = FakeSteadyClock()
    store, graph = FakeStore(), FakeGraph()
    slow, slower = RateLimiter(0.5, now=clock), RateLimiter(0.25, now=clock)
    sends = delivery(store, graph, rate=slow, timed_media=slower)

    for number, message in enumerate((HELLO, FILM, FILM, HELLO)):
        await deliver(sends, piece(number, message=message))

    assert graph.sent == [HELLO, FILM]
    waits = [entry[1] for entry in store.log if entry[0] == "retry"]
    assert waits == [4.0, 2.0]


# --- more than words --------------------------------------------------------


async def test_a_piece_that_is_refused_gives_its_place_to_words_and_the_log_says_so():
    refused = GraphError(ErrorClass.BAD_REQUEST, code=100, subcode=2534015)
    store, graph = FakeStore(), FakeGraph(errors=[refused])

    with capture_logs() as logs:
        await deliver(delivery(store, graph), piece(message=FILM))

    assert store.log == [("degrade",)]
    assert [line for line in logs if line["event"] == "delivery.degraded"] == [
        {
            "event": "delivery.degraded",
            "log_level": "warning",
            "piece": 0,
            "part": "Media",
            "reason": "bad_request code=100 subcode=2534015",
        }
    ]


async def test_vague_refusals_of_what_words_stand_in_for_do_not_stop_the_account():
    store, graph, breaker = FakeStore(), FakeGraph(errors=[VAGUE] * 3), CircuitBreaker()
    sends = delivery(store, graph, breaker)

    for number, contact in enumerate(("anna", "ben", "cleo")):
        of = piece(number, message=FILM)
        await sends.deliver(Claim("shop", contact, 1, piece=of), of, SHOP)

    assert store.log == [("degrade",)] * 3
    assert breaker.open_for("shop", "dora") == 0


async def test_a_reaction_of_unknown_outcome_is_made_again_and_not_looked_for():
    store, graph = FakeStore(), FakeGraph()

    await deliver(delivery(store, graph), piece(message=REACTION, outcome_unknown=True))

    assert graph.sent == [REACTION]
    assert [entry[0] for entry in store.log] == ["sent"]


async def test_a_film_is_not_looked_for_while_meta_may_fetch_it():
    store, graph = FakeStore(time=ATTEMPT_BEGAN + 30_000), FakeGraph()
    film = piece(message=FILM, outcome_unknown=True, is_over=True)

    await deliver(delivery(store, graph), film)

    assert graph.calls == []
    assert store.log == [("retry", FETCH_SECONDS + ECHO_WAIT - 30, SENDING, OTHER)]


# --- looking up -------------------------------------------------------------


async def test_a_piece_of_unknown_outcome_that_arrived_is_not_sent_again():
    store, graph = FakeStore(time=LONG_AFTER), FakeGraph(recent=(recent(text=" hello\n"),))

    await deliver(delivery(store, graph), piece(outcome_unknown=True))

    assert graph.calls == ["recent"]
    assert store.log == [("sent", "mid-9")]


@pytest.mark.parametrize(
    ("failures", "noted"),
    [
        pytest.param(0, ("retry", 0, PLANNED, None), id="first"),
        pytest.param(2, ("give_up", "gave up: it did not arrive"), id="last"),
    ],
)
async def test_a_piece_that_did_not_arrive_is_sent_again_as_a_new_attempt(failures, noted):
    store, graph = FakeStore(time=LONG_AFTER), FakeGraph()

    await deliver(delivery(store, graph), piece(outcome_unknown=True), failures=failures)

    assert (graph.calls, store.log) == (["recent"], [noted])


async def test_a_piece_that_the_account_kept_from_arriving_uses_up_no_attempt():
    clock = FakeSteadyClock()
    store, graph = FakeStore(time=LONG_AFTER), FakeGraph(errors=[PERHAPS_FORBIDDEN] * 2)
    sends = delivery(store, graph, CircuitBreaker(clock))
    await deliver_at(sends, clock, 0.0, 60.0)
    stopped = store.log[-1]

    clock.time = 1000.0  # after the account's pause
    await deliver(sends, piece(attempt=2, outcome_unknown=True), failures=99)

    assert graph.calls == ["message", "message", "recent"]
    assert stopped[2:] == (SENDING, ACCOUNT)
    assert store.log[-1] == ("retry", 0.0, PLANNED, OTHER)


async def test_an_attempt_without_an_end_is_given_the_time_of_a_call_and_its_echo():
    store, graph = FakeStore(time=ATTEMPT_BEGAN + 9_000), FakeGraph()

    await deliver(delivery(store, graph), piece(outcome_unknown=True))

    assert graph.calls == []
    assert store.log == [("retry", TIMEOUT + ECHO_WAIT - 9, SENDING, OTHER)]


async def test_an_attempt_that_ended_is_given_the_time_of_its_echo():
    store = FakeStore(time=ATTEMPT_BEGAN + 1_000)

    await deliver(delivery(store, FakeGraph()), piece(outcome_unknown=True, is_over=True))

    assert store.log[-1] == ("retry", ECHO_WAIT - 1, SENDING, OTHER)


@pytest.mark.parametrize(
    ("error", "failures", "after", "wait_reason"),
    [
        pytest.param(GraphError(ErrorClass.TRANSIENT), 0, 1, None, id="transient"),
        pytest.param(
            GraphError(ErrorClass.AUTHORIZATION, retry_after=1000),
            99,
            1000,
            ACCOUNT,
            id="account-to-blame",
        ),
    ],
)
async def test_an_outcome_stays_unknown_while_it_can_not_be_looked_up(
    error, failures, after, wait_reason
):
    store, circuit_breaker = FakeStore(time=LONG_AFTER), CircuitBreaker(FakeSteadyClock())
    graph = FakeGraph(recent=error)

    await deliver(
        delivery(store, graph, circuit_breaker), piece(outcome_unknown=True), failures=failures
    )

    assert store.log == [("retry", after, SENDING, wait_reason)]
    assert (circuit_breaker.open_for("shop", "ben") > 0) == (wait_reason is ACCOUNT)


@pytest.mark.parametrize(
    ("success_at", "wait_reason"),
    [
        pytest.param(50.0, None, id="others-go-out"),
        pytest.param(None, ACCOUNT, id="nothing-goes-out"),
    ],
)
async def test_a_look_up_refused_again_stops_the_account_only_if_nothing_goes_out(
    success_at, wait_reason
):
    clock = FakeSteadyClock()
    store, circuit_breaker = FakeStore(time=LONG_AFTER), CircuitBreaker(clock)
    graph = FakeGraph(recent=GraphError(ErrorClass.AUTHORIZATION, code=10))
    sends, in_doubt = delivery(store, graph, circuit_breaker), piece(outcome_unknown=True)
    await deliver(sends, in_doubt)
    if success_at is not None:
        circuit_breaker.record_success("shop", success_at)

    clock.time = 100.0
    await deliver(sends, in_doubt)

    [(*_, stopped), (verb, after, *rest)] = store.log
    assert (stopped, verb, rest) == (ACCOUNT, "retry", [SENDING, wait_reason])
    assert (circuit_breaker.open_for("shop", "ben") > 0) == (wait_reason is ACCOUNT)
    assert after == 1.0 or wait_reason is ACCOUNT


async def test_look_ups_that_would_wait_for_long_leave_the_worker_to_others():
    store, graph = FakeStore(time=LONG_AFTER), FakeGraph()
    look_ups = RateLimiter(LOOK_UPS, now=FakeSteadyClock())
    for number in range(12):
        look_ups.reserve("shop", number, patience=60)
    busy = delivery(store, graph, look_ups=look_ups)

    for number in (21, 22):
        await deliver(busy, piece(number, outcome_unknown=True))

    assert graph.calls == []
    assert store.log == [("retry", 6.0, SENDING, OTHER), ("retry", 6.5, SENDING, OTHER)]


async def test_a_look_up_waits_for_its_slot_if_that_is_near():
    store, graph, slept = FakeStore(time=LONG_AFTER), FakeGraph(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    look_ups = RateLimiter(LOOK_UPS, now=FakeSteadyClock())
    for number in range(2):
        look_ups.reserve("shop", number, patience=60)
    sends = delivery(store, graph, look_ups=look_ups, sleep=sleep)

    await deliver(sends, piece(outcome_unknown=True))

    assert (slept, graph.calls) == ([1.0], ["recent"])


# --- the account works again ------------------------------------------------


@pytest.mark.parametrize(
    "error", [None, GraphError(ErrorClass.PERSON_UNAVAILABLE)], ids=["sent", "refused"]
)
async def test_a_success_after_an_open_circuit_wakes_the_waiting_conversations(error):
    clock = FakeSteadyClock()
    store, circuit_breaker = FakeStore(), CircuitBreaker(clock)
    open_circuit(circuit_breaker)
    clock.time = 10_000

    await deliver(delivery(store, FakeGraph(errors=[error]), circuit_breaker), piece())

    assert store.log[1] == ("wake_account", "shop")
    assert circuit_breaker.open_for("shop", "ben") == 0


async def test_an_error_taken_for_the_persons_does_not_count_as_a_success():
    clock = FakeSteadyClock()
    store, graph = FakeStore(), FakeGraph(errors=[PERHAPS_BLOCKED] * 3)
    circuit_breaker = CircuitBreaker(clock)
    circuit_breaker.record_success("shop", 60.5)

    await deliver_at(delivery(store, graph, circuit_breaker), clock, 1.0, 2.0, 61.0)

    assert store.log[-1] == ("give_up", "transient code=2")
    assert circuit_breaker.last_success("shop") == 60.5


@pytest.mark.parametrize(
    ("error", "noted"),
    [
        pytest.param(None, ("sent", "mid-1"), id="sent"),
        pytest.param(GraphError(ErrorClass.WINDOW_CLOSED), ("close_window",), id="parked"),
    ],
)
async def test_the_piece_is_noted_before_the_others_are_woken(error, noted):
    class Refusing(FakeStore):
        def note(self, *entry: object) -> None:
            if entry[0] == "wake_account":
                raise StoreUnavailable("the disk is full")
            super().note(*entry)

    clock = FakeSteadyClock()
    store, circuit_breaker = Refusing(), CircuitBreaker(clock)
    open_circuit(circuit_breaker)
    clock.time = 10_000

    with pytest.raises(StoreUnavailable):
        await deliver(delivery(store, FakeGraph(errors=[error]), circuit_breaker), piece())

    assert store.log == [noted]


async def test_a_store_that_refuses_the_piece_still_lets_the_account_go_on():
    clock = FakeSteadyClock()
    store, circuit_breaker = FakeStore(error=StoreUnavailable("full")), CircuitBreaker(clock)
    open_circuit(circuit_breaker)
    clock.time = 10_000

    with pytest.raises(StoreUnavailable):
        await deliver(delivery(store, FakeGraph(), circuit_breaker), piece())

    assert store.log == [("wake_account", "shop")]


# --- what a person wrote -------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "noted"),
    [
        pytest.param(None, [("sent", "mid-1")], id="taken"),
        pytest.param(GraphError(ErrorClass.WINDOW_CLOSED), [("close_window",)], id="too-late"),
        pytest.param(
            GraphError(ErrorClass.AUTHORIZATION, code=10),
            [("give_up", "authorization code=10; has the app the feature Human Agent?")],
            id="no-such-feature",
        ),
        pytest.param(
            GraphError(ErrorClass.BAD_REQUEST, code=100),
            [("give_up", "bad_request code=100; has the app the feature Human Agent?")],
            id="vague",
        ),
    ],
)
async def test_a_refusal_of_the_tag_is_the_messages_and_never_the_accounts(error, noted):
    store, graph = FakeStore(), FakeGraph(errors=[error])
    circuit_breaker = CircuitBreaker(FakeSteadyClock())

    await deliver(delivery(store, graph, circuit_breaker), replace(piece(), is_tagged=True))

    assert store.log == noted
    assert circuit_breaker.open_for("shop", "ben") == 0
    assert graph.sent == ([{"tagged": {"text": "hello"}}] if error is None else [])


async def test_a_dead_token_is_the_accounts_whoever_wrote():
    store, circuit_breaker = FakeStore(), CircuitBreaker(FakeSteadyClock())
    graph = FakeGraph(errors=[GraphError(ErrorClass.AUTHORIZATION, code=190)])

    await deliver(delivery(store, graph, circuit_breaker), replace(piece(), is_tagged=True))

    assert circuit_breaker.open_for("shop", "ben") > 0
