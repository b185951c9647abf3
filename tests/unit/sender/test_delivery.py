"""What becomes of a piece is decided by what Meta says, and nothing is sent twice blindly."""

from __future__ import annotations

import pytest

from ak_instagram.backoff import Backoff
from ak_instagram.errors import LeaseLost
from ak_instagram.sender.accounts import Accounts
from ak_instagram.sender.circuit import Circuits
from ak_instagram.sender.delivery import ECHO_WAIT, Delivery
from ak_instagram.sender.graph import RecentMessage
from ak_instagram.sender.graph_errors import ErrorClass, GraphError
from ak_instagram.sender.rate import RateLimits
from ak_instagram.settings.values import Account
from ak_instagram.store.values import Blocker, Claim, Piece, PieceStatus
from tests.fakes import FakeGraph, FakeStore

SINCE = 1_800_000_000_000
PLANNED, SENDING = PieceStatus.PLANNED, PieceStatus.SENDING
ACCOUNT = Blocker.ACCOUNT


def piece(*, tries: int = 1, doubtful: bool = False) -> Piece:
    return Piece(7, "turn", 0, {"text": "hello"}, tries, doubtful, SINCE)


def claim(of: Piece, attempts: int = 0) -> Claim:
    return Claim("shop", "anna", 1, attempts=attempts, piece=of)


def delivery(store: FakeStore, graph: FakeGraph, circuits: Circuits | None = None) -> Delivery:
    return Delivery(
        store=store,
        graph=graph,
        accounts=Accounts([Account("token", "shop")], graph),
        circuits=circuits or Circuits(),
        rate=RateLimits(100),
        backoff=Backoff(attempts=3, chance=lambda: 0.0),
    )


def recent(**changes: object) -> RecentMessage:
    values = {"mid": "mid-9", "text": "hello", "from_id": "shop", "created_at": SINCE}
    return RecentMessage(**(values | changes))


async def test_what_meta_takes_is_sent():
    store, graph = FakeStore(), FakeGraph()

    await delivery(store, graph).deliver(claim(piece()), piece())

    assert graph.sent == [{"text": "hello"}]
    assert store.log == [("sent", "mid-1")]


@pytest.mark.parametrize(
    ("error", "attempts", "outcome"),
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
            ("retry", ECHO_WAIT, SENDING, None),
            id="may-have-arrived",
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
async def test_an_error_has_one_consequence(error, attempts, outcome):
    store, graph = FakeStore(), FakeGraph(errors=[error])

    await delivery(store, graph).deliver(claim(piece(), attempts), piece())

    assert store.log == [outcome]


@pytest.mark.parametrize("error_class", [ErrorClass.AUTHORIZATION, ErrorClass.ACCOUNT_RESTRICTED])
async def test_a_blocked_account_is_waited_for_without_end(error_class):
    store, graph = FakeStore(), FakeGraph(errors=[GraphError(error_class)])

    await delivery(store, graph).deliver(claim(piece(), attempts=99), piece())

    [(verb, after, status, blocker)] = store.log
    assert (verb, status, blocker) == ("retry", PLANNED, ACCOUNT)
    assert after >= 15


async def test_a_doubtful_piece_that_arrived_is_not_sent_again():
    store, graph = FakeStore(), FakeGraph(recent=(recent(text=" hello\n"),))
    doubtful = piece(doubtful=True)

    await delivery(store, graph).deliver(claim(doubtful), doubtful)

    assert graph.sent == []
    assert store.log == [("sent", "mid-9")]


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        pytest.param((), frozenset(), id="nothing-there"),
        pytest.param((recent(text="other"),), frozenset(), id="another-text"),
        pytest.param((recent(from_id="anna"),), frozenset(), id="the-person-said-it"),
        pytest.param((recent(created_at=SINCE - 120_000),), frozenset(), id="said-before"),
        pytest.param((recent(),), frozenset({"mid-9"}), id="another-piece-of-the-same-words"),
    ],
)
async def test_a_doubtful_piece_that_is_not_there_is_sent_again(found, ours):
    store, graph = FakeStore(ids=ours), FakeGraph(recent=found)
    doubtful = piece(doubtful=True)

    await delivery(store, graph).deliver(claim(doubtful), doubtful)

    assert [entry[0] for entry in store.log] == ["resend"]


async def test_a_doubtful_piece_stays_so_while_meta_can_not_be_asked():
    store = FakeStore()
    graph = FakeGraph(recent=GraphError(ErrorClass.TRANSIENT))
    doubtful = piece(doubtful=True)

    await delivery(store, graph).deliver(claim(doubtful), doubtful)

    assert store.log == [("retry", 1, SENDING, None)]


async def test_a_piece_of_an_account_that_is_gone_is_given_up():
    store, graph = FakeStore(), FakeGraph()
    accounts = Accounts([], graph)
    orphaned = Delivery(store, graph, accounts, Circuits(), RateLimits(100), Backoff())

    await orphaned.deliver(claim(piece()), piece())

    assert [entry[0] for entry in store.log] == ["give_up"]


async def test_other_conversations_wait_for_a_blocked_account_without_trying():
    store, graph, circuits = FakeStore(), FakeGraph(), Circuits(now=lambda: 0.0)
    circuits.trip("shop", GraphError(ErrorClass.AUTHORIZATION), ErrorClass.AUTHORIZATION)

    await delivery(store, graph, circuits).deliver(claim(piece()), piece())

    assert graph.calls == []
    [(verb, _, status, blocker)] = store.log
    assert (verb, status, blocker) == ("retry", PLANNED, ACCOUNT)


@pytest.mark.parametrize(
    "error", [None, GraphError(ErrorClass.PERSON_UNAVAILABLE)], ids=["sent", "refused"]
)
async def test_an_account_that_meta_listens_to_again_wakes_what_waited(error):
    clock = [0.0]
    store, circuits = FakeStore(), Circuits(now=lambda: clock[0])
    circuits.trip("shop", GraphError(ErrorClass.AUTHORIZATION), ErrorClass.AUTHORIZATION)
    clock[0] = 10_000

    await delivery(store, FakeGraph(errors=[error]), circuits).deliver(claim(piece()), piece())

    assert store.log[0] == ("wake_account", "shop")


async def test_nothing_is_sent_when_the_lease_has_run_out_meanwhile():
    store, graph = FakeStore(left=0.5), FakeGraph()

    with pytest.raises(LeaseLost):
        await delivery(store, graph).deliver(claim(piece()), piece())

    assert graph.calls == []
