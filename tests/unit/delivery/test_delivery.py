"""What becomes of a piece is decided by what Meta says, and nothing is sent twice blindly."""

from __future__ import annotations

import asyncio

import pytest

from ak_instagram.backoff import Backoff
from ak_instagram.delivery.accounts import Accounts
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.delivery import LOOK_UPS, TIMEOUT, VERDICT_WAIT, Delivery
from ak_instagram.delivery.rate_limit import RateLimiter
from ak_instagram.delivery.reconcile import ECHO_WAIT
from ak_instagram.errors import LeaseLost, StoreUnavailable
from ak_instagram.meta.graph_codes import ErrorClass
from ak_instagram.meta.graph_errors import GraphError
from ak_instagram.meta.graph_responses import RecentMessage
from ak_instagram.settings.model import Account
from ak_instagram.store.values import Claim, Piece, PieceStatus, WaitReason
from tests.support.fakes import FakeGraph, FakeStore

SINCE = 1_800_000_000_000
PLANNED, SENDING = PieceStatus.PLANNED, PieceStatus.SENDING
ACCOUNT, OTHER = WaitReason.ACCOUNT, WaitReason.OTHER
DEAD_TOKEN = GraphError(ErrorClass.AUTHORIZATION, code=190)
NO_ROLE = GraphError(ErrorClass.AUTHORIZATION, code=10, subcode=2534048)
LONG_AFTER = SINCE + 60_000  # a try's echo had its time
PERHAPS_BLOCKED = GraphError(ErrorClass.TRANSIENT, code=2)
LINKS_REFUSED = GraphError(ErrorClass.TRANSIENT, code=508, subcode=2534122)
PERHAPS_FORBIDDEN = GraphError(ErrorClass.OUTCOME_UNKNOWN, code=1, subcode=99)


def piece(number: int = 7, *, tries: int = 1, outcome_unknown: bool = False) -> Piece:
    return Piece(number, "turn", 0, {"text": "hello"}, tries, outcome_unknown, SINCE, SINCE)


def claim(of: Piece, failures: int = 0) -> Claim:
    return Claim("shop", "anna", 1, failures=failures, piece=of)


def delivery(
    store: FakeStore,
    graph: FakeGraph,
    circuit_breaker: CircuitBreaker | None = None,
    **changes: object,
) -> Delivery:
    values = {
        "store": store,
        "graph": graph,
        "accounts": Accounts([Account("token", "shop")], graph),
        "circuit_breaker": circuit_breaker or CircuitBreaker(),
        "rate": RateLimiter(100),
        "backoff": Backoff(attempts=3, chance=lambda: 0.0),
    }
    return Delivery(**(values | changes))


def blocked() -> CircuitBreaker:
    """An account that another conversation has just shown to be blocked."""
    circuit_breaker = CircuitBreaker(now=lambda: 0.0)
    circuit_breaker.trip("shop", "zoe", 0.0, DEAD_TOKEN, ErrorClass.AUTHORIZATION)
    return circuit_breaker


async def tries(sends: Delivery, count: int, *, failures: int = 0) -> None:
    """Send a piece so many times, as it comes back from the store between the tries."""
    for number in range(1, count + 1):
        tried = piece(tries=number)
        await sends.deliver(claim(tried, failures), tried)


async def tries_at(sends: Delivery, clock: list[float], *times: float) -> None:
    """Send a piece at each of these *times*."""
    for number, time in enumerate(times, start=1):
        clock[0] = time
        tried = piece(tries=number)
        await sends.deliver(claim(tried), tried)


def recent(**changes: object) -> RecentMessage:
    values = {"mid": "mid-9", "text": "hello", "from_id": "shop", "created_at": SINCE}
    return RecentMessage(**(values | changes))


async def test_what_meta_takes_is_sent():
    store, graph = FakeStore(), FakeGraph()

    await delivery(store, graph).deliver(claim(piece()), piece())

    assert graph.sent == [{"text": "hello"}]
    assert store.log == [("sent", "mid-1")]


@pytest.mark.parametrize(
    ("error", "failures", "outcome"),
    [
        pytest.param(
            GraphError(ErrorClass.TRANSIENT), 0, ("retry", 1, PLANNED, None), id="first-failure"
        ),
        pytest.param(
            GraphError(ErrorClass.TRANSIENT, retry_after=30),
            0,
            ("retry", 30, PLANNED, None),
            id="meta-says-when",
        ),
        pytest.param(
            GraphError(ErrorClass.TRANSIENT), 2, ("give_up", "gave up: transient"), id="last-try"
        ),
        pytest.param(
            GraphError(ErrorClass.OUTCOME_UNKNOWN),
            0,
            ("retry", ECHO_WAIT, SENDING, OTHER),
            id="may-have-arrived",
        ),
        pytest.param(
            GraphError(ErrorClass.OUTCOME_UNKNOWN, retry_after=30),
            0,
            ("retry", 30, SENDING, OTHER),
            id="may-have-arrived-and-meta-says-when",
        ),
        pytest.param(
            GraphError(ErrorClass.OUTCOME_UNKNOWN),
            99,
            ("retry", ECHO_WAIT, SENDING, OTHER),
            id="is-looked-for-after-the-last-try-too",
        ),
        pytest.param(
            GraphError(ErrorClass.RATE_LIMITED, retry_after=120),
            9,
            ("retry", 120, PLANNED, ACCOUNT),
            id="rate-limits-use-up-no-try",
        ),
        pytest.param(
            GraphError(ErrorClass.WINDOW_CLOSED), 0, ("close_window",), id="window-closed"
        ),
        pytest.param(
            GraphError(ErrorClass.PERSON_UNAVAILABLE),
            0,
            ("give_up", "person_unavailable"),
            id="nobody-there",
        ),
        pytest.param(
            GraphError(ErrorClass.BAD_REQUEST), 0, ("give_up", "bad_request"), id="our-mistake"
        ),
    ],
)
async def test_an_error_has_one_consequence(error, failures, outcome):
    store, graph, circuit_breaker = (
        FakeStore(),
        FakeGraph(errors=[error]),
        CircuitBreaker(now=lambda: 0.0),
    )

    await delivery(store, graph, circuit_breaker).deliver(claim(piece(), failures), piece())

    assert store.log == [outcome]


@pytest.mark.parametrize("error_class", [ErrorClass.AUTHORIZATION, ErrorClass.ACCOUNT_RESTRICTED])
async def test_a_blocked_account_is_waited_for_without_end(error_class):
    store, graph = FakeStore(), FakeGraph(errors=[GraphError(error_class)])

    await delivery(store, graph).deliver(claim(piece(), failures=99), piece())

    [(verb, after, status, wait_reason)] = store.log
    assert (verb, status, wait_reason) == ("retry", PLANNED, ACCOUNT)
    assert after >= 15


async def test_a_doubtful_piece_that_arrived_is_not_sent_again():
    store, graph = FakeStore(time=LONG_AFTER), FakeGraph(recent=(recent(text=" hello\n"),))
    doubtful = piece(outcome_unknown=True)

    await delivery(store, graph).deliver(claim(doubtful), doubtful)

    assert graph.sent == []
    assert store.log == [("sent", "mid-9")]


@pytest.mark.parametrize(
    ("failures", "outcome"),
    [
        pytest.param(0, ("retry", 1, PLANNED, None), id="first"),
        pytest.param(1, ("retry", 3, PLANNED, None), id="second"),
        pytest.param(2, ("give_up", "gave up: it did not arrive"), id="last"),
    ],
)
async def test_a_doubtful_piece_that_is_not_there_is_sent_again_so_many_times(failures, outcome):
    store, graph = FakeStore(time=LONG_AFTER), FakeGraph()
    doubtful = piece(outcome_unknown=True)

    await delivery(store, graph).deliver(claim(doubtful, failures), doubtful)

    assert (graph.calls, store.log) == (["recent"], [outcome])


@pytest.mark.parametrize(
    ("worked_at", "outcome"),
    [
        pytest.param(2.5, ("give_up", "transient code=2"), id="others-are-reached"),
        pytest.param(1.5, ("retry", VERDICT_WAIT, PLANNED, None), id="nobody-since-the-last-try"),
        pytest.param(None, ("retry", VERDICT_WAIT, PLANNED, None), id="nobody"),
    ],
)
async def test_what_may_be_the_person_is_believed_when_it_stays_and_others_are_reached(
    worked_at, outcome
):
    clock = [0.0]
    store, graph = FakeStore(), FakeGraph(errors=[PERHAPS_BLOCKED] * 3)
    circuit_breaker = CircuitBreaker(now=lambda: clock[0])
    if worked_at is not None:
        circuit_breaker.heal("shop", worked_at)

    await tries_at(delivery(store, graph, circuit_breaker), clock, 1.0, 2.0, 3.0)

    first, a_minute_before_it_may_be_the_last = (
        ("retry", 1, PLANNED, None),
        ("retry", VERDICT_WAIT, PLANNED, None),
    )
    assert store.log == [first, a_minute_before_it_may_be_the_last, outcome]


async def test_a_person_who_is_believed_to_be_away_does_not_show_that_the_account_works():
    clock = [0.0]
    store, graph = FakeStore(), FakeGraph(errors=[PERHAPS_BLOCKED] * 3)
    circuit_breaker = CircuitBreaker(now=lambda: clock[0])
    circuit_breaker.heal("shop", 2.5)

    await tries_at(delivery(store, graph, circuit_breaker), clock, 1.0, 2.0, 3.0)

    assert store.log[-1] == ("give_up", "transient code=2")
    assert circuit_breaker.last_worked("shop") == 2.5


async def test_other_failures_do_not_count_towards_what_an_error_means():
    down = GraphError(ErrorClass.TRANSIENT)
    store, graph = FakeStore(), FakeGraph(errors=[PERHAPS_BLOCKED, PERHAPS_BLOCKED, down] * 2)

    await tries(delivery(store, graph), 6)

    assert [entry[0] for entry in store.log] == ["retry"] * 6


@pytest.mark.parametrize(
    ("worked_at", "wait_reason"),
    [
        pytest.param(None, ACCOUNT, id="nothing-else-works-either"),
        pytest.param(1.5, ACCOUNT, id="it-worked-before-that"),
        pytest.param(2.5, None, id="it-works-for-others"),
    ],
)
async def test_the_account_is_to_blame_only_if_it_has_not_worked_since_the_last_try(
    worked_at, wait_reason
):
    clock = [0.0]
    store, graph = FakeStore(), FakeGraph(errors=[LINKS_REFUSED] * 3)
    circuit_breaker = CircuitBreaker(now=lambda: clock[0])
    if worked_at is not None:
        circuit_breaker.heal("shop", worked_at)

    await tries_at(delivery(store, graph, circuit_breaker), clock, 1.0, 2.0, 3.0)

    verb, _, *rest = store.log[-1]
    assert (verb, rest) == ("retry", [PLANNED, wait_reason])
    assert (circuit_breaker.wait("shop", "ben") > 0) == (wait_reason is ACCOUNT)


@pytest.mark.parametrize(
    "error",
    [NO_ROLE, GraphError(ErrorClass.ACCOUNT_RESTRICTED, code=368)],
    ids=["permission", "policy"],
)
async def test_a_piece_that_is_refused_again_while_others_go_out_stops_nobody_a_second_time(error):
    clock = [0.0]
    store, graph = FakeStore(), FakeGraph(errors=[error] * 2)
    circuit_breaker = CircuitBreaker(now=lambda: clock[0])
    sends = delivery(store, graph, circuit_breaker)
    await tries_at(sends, clock, 1.0)
    stopped = circuit_breaker.wait("shop", "ben")
    circuit_breaker.heal("shop", 50.0)

    await tries_at(sends, clock, 51.0)

    assert stopped >= 15
    assert circuit_breaker.wait("shop", "ben") == 0
    assert store.log[-1] == ("retry", VERDICT_WAIT, PLANNED, None)


async def test_a_piece_that_is_refused_again_while_nothing_goes_out_stops_the_account_again():
    clock = [0.0]
    store, graph = FakeStore(), FakeGraph(errors=[NO_ROLE] * 3)
    circuit_breaker = CircuitBreaker(now=lambda: clock[0])
    sends = delivery(store, graph, circuit_breaker)
    await tries_at(sends, clock, 1.0)
    circuit_breaker.heal("shop", 50.0)

    await tries_at(sends, clock, 51.0, 112.0)

    assert circuit_breaker.wait("shop", "ben") >= 15
    assert store.log[-1][2:] == (PLANNED, ACCOUNT)


async def test_failures_that_nobody_here_has_seen_do_not_count_either():
    store, graph = FakeStore(), FakeGraph(errors=[PERHAPS_BLOCKED])

    await tries(delivery(store, graph), 1, failures=1)

    assert store.log == [("retry", 3, PLANNED, None)]


async def test_a_piece_that_may_have_arrived_stays_in_doubt_when_the_account_is_to_blame():
    store, graph = FakeStore(), FakeGraph(errors=[PERHAPS_FORBIDDEN] * 2)

    await tries(delivery(store, graph), 2)

    [first, (verb, after, status, wait_reason)] = store.log
    assert first == ("retry", ECHO_WAIT, SENDING, OTHER)
    assert (verb, status, wait_reason) == ("retry", SENDING, ACCOUNT)
    assert after >= 15


async def test_a_piece_that_the_account_kept_from_arriving_uses_up_no_try():
    now = [0.0]
    store, graph = FakeStore(time=LONG_AFTER), FakeGraph(errors=[PERHAPS_FORBIDDEN] * 2)
    sends = delivery(store, graph, CircuitBreaker(now=lambda: now[0]))
    await tries(sends, 2)
    now[0] += 1000  # the pause of the account
    doubtful = piece(tries=2, outcome_unknown=True)

    await sends.deliver(claim(doubtful, failures=99), doubtful)

    assert graph.calls == ["message", "message", "recent"]
    assert store.log[-1] == ("retry", 0.0, PLANNED, OTHER)


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        pytest.param(1, TIMEOUT + ECHO_WAIT - 1, id="cut-off-a-moment-ago"),
        pytest.param(9, TIMEOUT + ECHO_WAIT - 9, id="perhaps-still-at-meta"),
    ],
)
async def test_a_try_that_nobody_saw_end_has_its_time_and_that_of_its_echo(age, wait):
    store, graph = FakeStore(time=SINCE + age * 1000), FakeGraph()
    doubtful = piece(outcome_unknown=True)

    await delivery(store, graph).deliver(claim(doubtful), doubtful)

    assert graph.calls == []
    assert store.log == [("retry", wait, SENDING, OTHER)]


async def test_a_try_that_ended_has_the_time_of_its_echo():
    store, graph = FakeStore(time=SINCE + 1000), FakeGraph()
    graph.errors = [GraphError(ErrorClass.OUTCOME_UNKNOWN)]
    sends, doubtful = delivery(store, graph), piece(outcome_unknown=True)
    await tries(sends, 1)

    await sends.deliver(claim(doubtful), doubtful)

    assert store.log[-1] == ("retry", ECHO_WAIT - 1, SENDING, OTHER)


async def test_a_doubtful_piece_stays_so_while_meta_can_not_be_asked():
    store = FakeStore(time=LONG_AFTER)
    graph = FakeGraph(recent=GraphError(ErrorClass.TRANSIENT))
    doubtful = piece(outcome_unknown=True)

    await delivery(store, graph).deliver(claim(doubtful), doubtful)

    assert store.log == [("retry", 1, SENDING, None)]


@pytest.mark.parametrize(
    "error_class",
    [ErrorClass.RATE_LIMITED, ErrorClass.AUTHORIZATION, ErrorClass.ACCOUNT_RESTRICTED],
)
async def test_a_look_up_that_a_blocked_account_is_refused_uses_up_no_try(error_class):
    store, circuit_breaker = FakeStore(time=LONG_AFTER), CircuitBreaker(now=lambda: 0.0)
    graph = FakeGraph(recent=GraphError(error_class, retry_after=1000))
    doubtful = piece(outcome_unknown=True)

    await delivery(store, graph, circuit_breaker).deliver(claim(doubtful, failures=99), doubtful)

    assert store.log == [("retry", 1000, SENDING, ACCOUNT)]
    assert circuit_breaker.wait("shop", "ben") == 1000


@pytest.mark.parametrize(
    ("worked_at", "wait_reason"),
    [
        pytest.param(50.0, None, id="others-go-out"),
        pytest.param(None, ACCOUNT, id="nothing-goes-out"),
    ],
)
async def test_a_look_up_that_is_refused_again_stops_the_account_only_if_nothing_goes_out(
    worked_at, wait_reason
):
    clock = [0.0]
    store, circuit_breaker = FakeStore(time=LONG_AFTER), CircuitBreaker(now=lambda: clock[0])
    graph = FakeGraph(recent=GraphError(ErrorClass.AUTHORIZATION, code=10))
    sends, doubtful = delivery(store, graph, circuit_breaker), piece(outcome_unknown=True)
    await sends.deliver(claim(doubtful), doubtful)
    if worked_at is not None:
        circuit_breaker.heal("shop", worked_at)

    clock[0] = 100.0
    await sends.deliver(claim(doubtful), doubtful)

    [(*_, stopped), (verb, after, *rest)] = store.log
    assert (stopped, verb, rest) == (ACCOUNT, "retry", [SENDING, wait_reason])
    assert (circuit_breaker.wait("shop", "ben") > 0) == (wait_reason is ACCOUNT)
    assert after == VERDICT_WAIT or wait_reason is ACCOUNT


async def test_look_ups_that_would_wait_for_long_leave_the_worker_to_others():
    store, graph = FakeStore(time=LONG_AFTER), FakeGraph()
    look_ups = RateLimiter(LOOK_UPS, now=lambda: 0.0, sleep=lambda _seconds: asyncio.sleep(0))
    busy = delivery(store, graph, look_ups=look_ups)
    for _ in range(12):
        await look_ups.acquire("shop")

    for doubtful in (piece(1, outcome_unknown=True), piece(2, outcome_unknown=True)):
        await busy.deliver(claim(doubtful), doubtful)

    assert graph.calls == []
    assert store.log == [("retry", 6.0, SENDING, OTHER), ("retry", 6.5, SENDING, OTHER)]


async def test_a_piece_that_would_wait_for_long_is_handed_back_and_may_be_dropped_meanwhile():
    store, graph = FakeStore(), FakeGraph()
    rate = RateLimiter(1, now=lambda: 0.0, sleep=lambda _seconds: asyncio.sleep(0))
    await rate.acquire("shop")
    busy = delivery(store, graph, rate=rate)

    for planned in (piece(1), piece(2), piece(3)):
        await busy.deliver(claim(planned), planned)

    assert graph.sent == [{"text": "hello"}]
    assert store.log == [
        ("sent", "mid-1"),
        ("retry", 2.0, PLANNED, OTHER),
        ("retry", 3.0, PLANNED, OTHER),
    ]


async def test_a_piece_of_an_account_that_is_gone_is_given_up():
    store, graph = FakeStore(), FakeGraph()
    accounts = Accounts([], graph)
    orphaned = Delivery(store, graph, accounts, CircuitBreaker(), RateLimiter(100), Backoff())

    await orphaned.deliver(claim(piece()), piece())

    assert [entry[0] for entry in store.log] == ["give_up"]


async def test_other_conversations_wait_for_a_blocked_account_without_trying():
    store, graph = FakeStore(), FakeGraph()

    await delivery(store, graph, blocked()).deliver(claim(piece()), piece())

    assert graph.calls == []
    [(verb, _, status, wait_reason)] = store.log
    assert (verb, status, wait_reason) == ("retry", PLANNED, ACCOUNT)


async def test_what_waits_for_its_turn_while_the_account_is_blocked_is_not_sent():
    store, graph, circuit_breaker = FakeStore(), FakeGraph(), CircuitBreaker(now=lambda: 0.0)

    async def meanwhile(_seconds: float) -> None:
        circuit_breaker.trip("shop", "zoe", 0.0, DEAD_TOKEN, ErrorClass.AUTHORIZATION)

    rate = RateLimiter(1, now=lambda: 0.0, sleep=meanwhile)
    await rate.acquire("shop")

    await delivery(store, graph, circuit_breaker, rate=rate).deliver(claim(piece()), piece())

    assert (graph.calls, store.log[0][0], store.log[0][3]) == ([], "retry", ACCOUNT)


@pytest.mark.parametrize(
    "error", [None, GraphError(ErrorClass.PERSON_UNAVAILABLE)], ids=["sent", "refused"]
)
async def test_an_account_that_meta_listens_to_again_wakes_what_waited(error):
    clock = [0.0]
    store, circuit_breaker = FakeStore(), CircuitBreaker(now=lambda: clock[0])
    circuit_breaker.trip("shop", "zoe", 0.0, DEAD_TOKEN, ErrorClass.AUTHORIZATION)
    clock[0] = 10_000

    await delivery(store, FakeGraph(errors=[error]), circuit_breaker).deliver(
        claim(piece()), piece()
    )

    assert store.log[1] == ("wake_account", "shop")


async def test_a_store_that_can_not_wake_what_waited_knows_what_was_sent():
    class Refusing(FakeStore):
        async def wake_account(self, account: str) -> int:
            raise StoreUnavailable("the disk is full")

    clock = [0.0]
    store, circuit_breaker = Refusing(), CircuitBreaker(now=lambda: clock[0])
    circuit_breaker.trip("shop", "zoe", 0.0, DEAD_TOKEN, ErrorClass.AUTHORIZATION)
    clock[0] = 10_000

    with pytest.raises(StoreUnavailable):
        await delivery(store, FakeGraph(), circuit_breaker).deliver(claim(piece()), piece())

    assert store.log == [("sent", "mid-1")]


@pytest.mark.parametrize(
    ("left", "timeout"),
    [pytest.param(30.0, 10.0, id="long"), pytest.param(4.5, 3.5, id="short")],
)
async def test_a_send_is_over_before_the_lease_is(left, timeout):
    class Timed(FakeGraph):
        async def send_message(self, *arguments: object) -> str:
            self.timeout = arguments[-1]
            return await super().send_message(*arguments)

    graph = Timed()

    await delivery(FakeStore(left=left), graph).deliver(claim(piece()), piece())

    assert graph.timeout == timeout


async def test_nothing_is_sent_when_the_lease_has_run_out_meanwhile():
    store, graph = FakeStore(left=0.5), FakeGraph()

    with pytest.raises(LeaseLost):
        await delivery(store, graph).deliver(claim(piece()), piece())

    assert graph.calls == []
