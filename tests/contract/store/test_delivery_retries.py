"""Delivery on a real ledger: what fails is tried so often, what may have arrived is looked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import count
from typing import Any

import pytest
from structlog.testing import capture_logs

from ak_instagram.backoff import Backoff
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.delivery import Delivery
from ak_instagram.delivery.rate_limit import RateLimiter
from ak_instagram.meta.graph.client import RecentMessage
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError, classify
from ak_instagram.settings.model import Account
from ak_instagram.store.values import Claim
from ak_instagram.store.verbs import steps
from tests.support.fakes import FakeGraph
from tests.support.store_bench import PAUSE, START, sending

ATTEMPTS = 4
SHOP = Account("token", "shop")
HOUR = 3_600_000
UNKNOWN = GraphError(ErrorClass.OUTCOME_UNKNOWN)
TRANSIENT = GraphError(ErrorClass.TRANSIENT)
LIMITED = GraphError(ErrorClass.RATE_LIMITED)
DEAD_TOKEN = GraphError(ErrorClass.AUTHORIZATION, code=190)
NO_ROLE = classify(400, b'{"error":{"code":10,"error_subcode":2534048}}', {})
PERHAPS_BLOCKED = classify(500, b'{"error":{"code":2}}', {})
LINKS_REFUSED = classify(400, b'{"error":{"code":508,"error_subcode":2534122}}', {})
NEVER_SAID = classify(500, b'{"error":{"code":1,"error_subcode":99}}', {})


@pytest.fixture
def delivery(bench, store):
    """Return what sends to *graph*, for which time passes between the tries only."""

    def delivery(graph: FakeGraph, rate: float = 100) -> Delivery:
        def seconds() -> float:
            return bench.clock.now / 1000

        async def sleep(_seconds: float) -> None:
            pass

        return Delivery(
            store=store,
            graph=graph,
            circuit_breaker=CircuitBreaker(now=seconds),
            rate=RateLimiter(rate, now=seconds),
            backoff=Backoff(ATTEMPTS),
            look_ups=RateLimiter(2, now=seconds),
            sleep=sleep,
        )

    return delivery


@pytest.fixture
def deliver(bench, store, delivery):
    """Work on whatever is due, again and again as time passes, until nothing is; as a worker."""

    async def deliver(graph: FakeGraph) -> None:
        sends = delivery(graph)
        while (due := await next_due(bench)) is not None:
            bench.clock.now = max(bench.clock.now + 1, due)
            for claim in await claims(bench, store):
                step = claim
                while step is not None:
                    step = await sends.deliver(step, step.piece, SHOP)

    return deliver


@pytest.fixture
def others(store):
    """Return what lets one more person be answered in a moment."""
    numbers = count(1)

    async def others() -> None:
        person = f"person-{next(numbers)}"
        await plan(store, person, person, "hello")

    return others


async def claims(bench, store) -> list[Claim]:
    """Return what is due now, without waiting for anything else."""
    return await store.run(steps.claim_due, 10)


async def next_due(bench) -> int | None:
    return (await bench.query("SELECT min(claimable_at) FROM conversations"))[0][0]


@pytest.fixture
async def planned(bench, store) -> None:
    """An answer of two pieces that is due."""
    await plan(store, "m1", "anna", "one", "two")
    await bench.query_nothing("UPDATE conversations SET attempts = 0")
    bench.clock.move(10)


async def plan(store, mid: str, contact: str, *texts: str) -> None:
    """Let an answer to *contact* be due in a moment."""
    step = await sending(store, *texts, turn=mid, mid=mid, contact=contact)
    await store.run(steps.retry, step, after=0.01, why="")


async def pieces(bench) -> list[tuple]:
    return await bench.query("SELECT status, error FROM outbox ORDER BY id")


class Choosy(FakeGraph):
    """Fails to reach Anna only; after each such try somebody else is to be answered."""

    def __init__(self, others: Callable[[], Awaitable[None]], **changes: Any) -> None:
        super().__init__(**changes)
        self.others = others

    async def send_message(self, token, recipient, message, timeout) -> str:
        if recipient != "anna":
            self.sent.append(message)
            return f"other-{len(self.sent)}"
        await self.others()
        return await super().send_message(token, recipient, message, timeout)


def stops(logs: Iterable[Mapping[str, Any]]) -> int:
    return [line["event"] for line in logs].count("account.stopped")


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(UNKNOWN, "gave up: it did not arrive", id="outcome-unknown"),
        pytest.param(TRANSIENT, "gave up: transient", id="transient"),
    ],
)
async def test_a_piece_that_never_arrives_is_given_up_after_max_attempts(
    bench, deliver, error, reason
):
    graph = FakeGraph(errors=[error] * 100)

    await deliver(graph)

    assert graph.calls.count("message") == ATTEMPTS
    assert await pieces(bench) == [("dead", reason)] * 2


@pytest.mark.usefixtures("planned")
async def test_waits_for_the_account_use_up_no_attempt(bench, deliver):
    graph = FakeGraph(errors=[DEAD_TOKEN, LIMITED, LIMITED, TRANSIENT] * 10)

    await deliver(graph)

    assert graph.calls.count("message") == 4 * ATTEMPTS
    assert [status for status, _ in await pieces(bench)] == ["dead", "dead"]


@pytest.mark.usefixtures("planned")
async def test_each_piece_has_attempts_of_its_own(bench, deliver):
    graph = FakeGraph(errors=[*[UNKNOWN] * 3, None, *[TRANSIENT] * 3, None])

    await deliver(graph)

    assert await pieces(bench) == [("sent", None), ("sent", None)]
    assert graph.sent == [{"text": "one"}, {"text": "two"}]


@pytest.mark.usefixtures("planned")
async def test_an_error_that_repeats_is_read_as_what_it_means_then(bench, store, deliver):
    """1/99 is unknown once; then it is a missing permission, for which the account stops."""
    graph = FakeGraph(errors=[NEVER_SAID, NEVER_SAID, None, None])

    await deliver(graph)

    assert [status for status, _ in await pieces(bench)] == ["sent", "sent"]
    once = ["message", "recent"]
    assert graph.calls == [*once, *once, "message", "message"]


@pytest.mark.usefixtures("planned")
async def test_a_piece_that_arrived_in_spite_of_an_error_is_not_sent_again(bench, deliver):
    class Applied(FakeGraph):
        """Meta does what it reports to have failed."""

        async def send_message(self, *arguments: Any) -> str:
            try:
                return await super().send_message(*arguments)
            finally:
                if not self.errors:
                    message = RecentMessage("mid-9", "one", "shop", bench.clock())
                    self.recent = (message,)

    graph = Applied(errors=[NEVER_SAID, NEVER_SAID])

    await deliver(graph)

    assert graph.sent == [{"text": "two"}]
    assert await pieces(bench) == [("sent", None), ("sent", None)]


@pytest.mark.usefixtures("planned")
async def test_a_piece_that_the_account_kept_from_arriving_uses_up_no_attempt(bench, deliver):
    graph = FakeGraph(errors=[NEVER_SAID] * 5 * ATTEMPTS)

    await deliver(graph)

    assert await pieces(bench) == [("sent", None), ("sent", None)]


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(LINKS_REFUSED, f"gave up: {LINKS_REFUSED}", id="perhaps-restricted"),
        pytest.param(NEVER_SAID, "gave up: it did not arrive", id="perhaps-forbidden"),
    ],
)
async def test_a_refused_message_does_not_stop_the_account_while_others_go_out(
    bench, others, deliver, error, reason
):
    graph = Choosy(others, errors=[error] * 5 * ATTEMPTS)

    with capture_logs() as logs:
        await deliver(graph)

    assert stops(logs) == 0
    assert graph.calls.count("message") == ATTEMPTS
    assert graph.sent == [{"text": "hello"}] * ATTEMPTS
    assert (await pieces(bench))[:2] == [("dead", reason)] * 2


@pytest.mark.usefixtures("planned")
async def test_a_refusal_that_seems_the_accounts_fault_stops_the_account_once(
    bench, others, deliver
):
    graph = Choosy(others, errors=[NO_ROLE] * 5 * ATTEMPTS)

    with capture_logs() as logs:
        await deliver(graph)

    assert stops(logs) == 1
    assert graph.calls.count("message") == 1 + ATTEMPTS
    assert graph.sent == [{"text": "hello"}] * (1 + ATTEMPTS)
    assert (await pieces(bench))[:2] == [("dead", f"gave up: {NO_ROLE}")] * 2


@pytest.mark.usefixtures("planned")
async def test_refused_look_ups_stop_the_account_once_while_others_go_out(bench, others, deliver):
    class Secretive(Choosy):
        """Shows nobody a conversation."""

        async def recent_messages(self, *arguments: Any) -> tuple[RecentMessage, ...]:
            await others()
            return await super().recent_messages(*arguments)

    graph = Secretive(others, errors=[UNKNOWN], recent=NO_ROLE)

    with capture_logs() as logs:
        await deliver(graph)

    assert stops(logs) == 1
    assert graph.calls == ["message", *["recent"] * (1 + ATTEMPTS)]
    assert graph.sent == [{"text": "hello"}] * (2 + ATTEMPTS)
    assert (await pieces(bench))[:2] == [("dead", f"gave up: {NO_ROLE}")] * 2


async def test_an_outage_is_not_blamed_on_the_people_written_to(bench, store, deliver):
    class Down(FakeGraph):
        """Has a temporary failure for a minute."""

        async def send_message(self, token, recipient, message, timeout) -> str:
            if bench.clock.now < START + 60_000:
                raise PERHAPS_BLOCKED
            return await super().send_message(token, recipient, message, timeout)

    for person in ("anna", "ben", "cleo"):
        await plan(store, f"to-{person}", person, "one")
    await bench.query_nothing("UPDATE conversations SET attempts = 0")

    await deliver(Down())

    assert await pieces(bench) == [("sent", None)] * 3


@pytest.mark.parametrize(
    "error",
    [LINKS_REFUSED, NEVER_SAID, NO_ROLE],
    ids=["restricted", "forbidden", "permission"],
)
async def test_while_nothing_goes_out_nothing_is_given_up(bench, store, deliver, error):
    class Blocked(FakeGraph):
        """Takes nothing for some hours."""

        async def send_message(self, token, recipient, message, timeout) -> str:
            if bench.clock.now < START + 3 * HOUR:
                raise error
            reached.append((recipient, message["text"]))
            return f"mid-{len(reached)}"

    reached: list[tuple[str, str]] = []
    people = ("anna", "ben", "cleo")
    for person in people:
        await plan(store, f"to-{person}", person, "one", "two")

    await deliver(Blocked())

    assert [status for status, _ in await pieces(bench)] == ["sent"] * 6
    for person in people:
        assert [text for to, text in reached if to == person] == ["one", "two"]


@pytest.mark.usefixtures("planned")
async def test_the_first_temporary_error_after_an_outage_is_temporary(bench, deliver):
    graph = FakeGraph(errors=[TRANSIENT, TRANSIENT, PERHAPS_BLOCKED])

    await deliver(graph)

    assert await pieces(bench) == [("sent", None), ("sent", None)]


@pytest.mark.usefixtures("planned")
async def test_a_piece_that_can_not_be_looked_up_is_not_sent_again(bench, deliver):
    graph = FakeGraph(errors=[UNKNOWN], recent=TRANSIENT)

    await deliver(graph)

    assert graph.calls == ["message", *["recent"] * ATTEMPTS]
    assert [status for status, _ in await pieces(bench)] == ["dead", "dead"]


@pytest.mark.usefixtures("planned")
async def test_a_takeover_ends_all_attempts(bench, store, deliver):
    class Interrupted(FakeGraph):
        async def send_message(self, *arguments: Any) -> str:
            await bench.answer_by_hand(store)
            return await super().send_message(*arguments)

    graph = Interrupted(errors=[UNKNOWN])

    await deliver(graph)

    bench.clock.move(PAUSE)
    assert graph.calls == ["message"]
    assert [status for status, _ in await pieces(bench)] == ["dropped", "dropped"]


@pytest.mark.usefixtures("planned")
async def test_a_piece_that_waits_for_its_slot_is_dropped_by_a_takeover(bench, store, delivery):
    graph = FakeGraph()
    slow = delivery(graph, rate=0.01)
    [claim] = await claims(bench, store)
    step = await slow.deliver(claim, claim.piece, SHOP)
    await slow.deliver(step, step.piece, SHOP)

    await bench.answer_by_hand(store)
    bench.clock.move(100_000)

    assert await claims(bench, store) == []
    assert graph.sent == [{"text": "one"}]
    assert [status for status, _ in await pieces(bench)] == ["sent", "dropped"]
