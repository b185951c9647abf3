"""The store as the rest of the service sees it: verbs that are durable when they return."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, make_url, text

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable

from . import retention
from .alarm import Alarm
from .inbox import Inbox
from .leases import Leases
from .retention import Purged
from .sqlite import open_sqlite
from .transactions import Clock, Transactions, Work, notify, wall_clock
from .turns import Turns
from .values import Arrival, Blocker, Claim, PieceStatus, Receipt, Settlement

MOST_ARRIVALS = 512  # events of one statement
SPACING = 0.004  # seconds between the commits of webhooks that queue up
POLL = 5.0  # seconds after which due conversations are looked for unasked


@dataclass(frozen=True, slots=True)
class Request:
    """What one webhook brought, and the future that waits for it to be durable."""

    arrivals: Sequence[Arrival]
    stored: asyncio.Future[None]


class Store:
    """Events, conversations and pieces; every verb may raise `errors.StoreUnavailable`."""

    def __init__(self, transactions: Transactions, inbox: Inbox, leases: Leases) -> None:
        self._run = transactions.run
        self._clock = transactions.clock
        self._renewed_until = 0
        self._inbox = inbox
        self._leases = leases
        self._turns = Turns(leases, inbox.takeover_pause)
        self._requests: deque[Request] = deque()
        # A worker that waits has room for so many: what arrives is claimed as it is stored.
        self._room = 0
        self._found: list[Claim] = []
        self._news = asyncio.Event()
        self._alarm = Alarm(self.wake)
        self._storing: asyncio.Task[None] | None = None
        transactions.on_work(self.wake)

    def wake(self) -> None:
        """Look for due conversations now: something may have become due unseen."""
        self._news.set()

    # --- the webhook's verb ---------------------------------------------------

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Store *arrivals*; what waits at the same time is stored in one statement."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests.append(Request(arrivals, stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_arrivals())
        await stored

    async def _store_arrivals(self) -> None:
        try:
            while self._requests:
                began = asyncio.get_running_loop().time()
                await self._store_batch(self._next_batch())
                if self._requests:
                    # Under load: the longer, the more of them share the next commit.
                    spent = asyncio.get_running_loop().time() - began
                    await asyncio.sleep(max(SPACING - spent, 0))
        finally:
            self._storing = None

    def _next_batch(self) -> list[Request]:
        batch: list[Request] = []
        room = MOST_ARRIVALS
        while self._requests and room > 0:
            batch.append(self._requests.popleft())
            room -= len(batch[-1].arrivals)
        return batch

    async def _store_batch(self, batch: Sequence[Request]) -> None:
        room = self._room
        arrivals = [arrival for request in batch for arrival in request.arrivals]
        try:
            receipt, claims, wait = await self._run(
                partial(self._put_and_claim, batch=arrivals, room=room), urgent=True
            )
            metrics.EVENTS_STORED.inc(receipt.fresh)
            metrics.EVENTS_REPEATED.inc(receipt.repeats)
            if room:
                self._find(claims, wait)
            else:
                self._news.set()  # whoever is just looking may have looked too early
            _resolve(batch, None)
        except StoreUnavailable as exc:
            _resolve(batch, exc)
        except Exception as exc:  # noqa: BLE001 - one request spoils it; the others shall not pay
            await self._store_apart(batch, exc)

    def _find(self, claims: Sequence[Claim], wait: int | None) -> None:
        """Hand *claims* to the worker that waits, or let it look again in *wait* ms."""
        if claims:
            self._found += claims
            self._room = 0
            self._news.set()
        elif wait is not None:
            self._alarm.set(wait / 1000)

    async def _store_apart(self, batch: Sequence[Request], exc: Exception) -> None:
        if len(batch) == 1:
            _resolve(batch, exc)
            return
        for request in batch:
            await self._store_batch([request])

    def _put_and_claim(
        self,
        connection: Connection,
        now: int,
        batch: Sequence[Arrival],
        room: int,
    ) -> tuple[Receipt, list[Claim], int | None]:
        receipt = self._inbox.put(connection, now, batch)
        if not receipt.fresh:
            return receipt, [], None
        if not room:
            notify(connection)
            return receipt, [], None
        return receipt, *self._claim_due(connection, now, room)

    # --- the worker's verbs ---------------------------------------------------

    async def claim(self, most: int) -> list[Claim]:
        """
        Wait for conversations that are due and take up to *most* of them.

        Returns none when nothing came up for a while. Call it from one task only.
        """
        if self._found:
            return self._take_found()
        self._news.clear()
        claims, wait = await self._run(partial(self._claim_due, most=most))
        if not claims and not self._news.is_set():
            self._room = most
            self._alarm.set(POLL if wait is None else min(wait / 1000, POLL))
            try:
                await self._news.wait()
            finally:
                self._room = 0
        return [*claims, *self._take_found()]

    def _claim_due(
        self, connection: Connection, now: int, most: int
    ) -> tuple[list[Claim], int | None]:
        claims = self._leases.claim(connection, now, most)
        return claims, None if claims else self._leases.until_due(connection, now)

    def _take_found(self) -> list[Claim]:
        found, self._found = self._found, []
        return found

    async def renew(self) -> set[tuple[str, str, int]]:
        """Extend all leases of this process; return (account, contact, fence) of each it holds."""
        held, self._renewed_until = await self._run(self._renew)
        return held

    def _renew(self, connection: Connection, now: int) -> tuple[set[tuple[str, str, int]], int]:
        return self._leases.renew(connection, now), now + self._leases.lease

    def lease_left(self, claim: Claim) -> float:
        """
        Return for how many seconds nobody else can hold the conversation.

        After a renewal that did not find it this is wrong: its work has to be
        cancelled in the same step.
        """
        return (max(claim.lease_until, self._renewed_until) - self._clock()) / 1000

    async def abandon(self, holdings: Collection[tuple[str, str, int]]) -> None:
        """Release the conversations in *holdings* (account, contact, fence), still due."""
        await self._run(partial(self._leases.abandon, holdings=holdings))

    async def wake_account(self, account: str) -> int:
        """Make all conversations due that wait for *account*; return how many."""
        woken = await self._run(partial(self._leases.wake_account, account=account))
        self.wake()
        return woken

    async def unblock(self) -> None:
        """Make all conversations due that wait for an account: who blocked it may be gone."""
        await self._run(self._leases.unblock)

    async def settle(self, claim: Claim, settlement: Settlement) -> Claim | None:
        """See `Turns.settle`."""
        return await self._step(partial(self._turns.settle, claim=claim, settlement=settlement))

    async def sent(self, claim: Claim, message_id: str) -> Claim | None:
        """See `Turns.sent`."""
        return await self._step(partial(self._turns.sent, claim=claim, message_id=message_id))

    async def resend(self, claim: Claim, why: str) -> Claim | None:
        """See `Turns.resend`."""
        return await self._step(partial(self._turns.resend, claim=claim, why=why))

    async def give_up(self, claim: Claim, why: str) -> Claim | None:
        """See `Turns.give_up`."""
        return await self._step(partial(self._turns.give_up, claim=claim, why=why))

    async def close_window(self, claim: Claim, why: str) -> Claim | None:
        """See `Turns.close_window`."""
        return await self._step(partial(self._turns.close_window, claim=claim, why=why))

    async def sent_ids(self, claim: Claim) -> frozenset[str]:
        """See `Turns.sent_ids`."""
        return await self._run(partial(self._turns.sent_ids, claim=claim))

    async def retry(
        self,
        claim: Claim,
        *,
        after: float,
        why: str,
        piece: PieceStatus = PieceStatus.PLANNED,
        blocker: Blocker | None = None,
    ) -> None:
        """See `Turns.retry`; *after* is in seconds."""
        await self._run(
            partial(
                self._turns.retry,
                claim=claim,
                after=int(after * 1000),
                why=why,
                piece=piece,
                blocker=blocker,
            )
        )
        self._alarm.set(after)

    async def _step(self, work: Work[Claim | None]) -> Claim | None:
        """Return the next step; a claim that ends may leave something that is due soon."""
        step = await self._run(work)
        if step is None and self._inbox.debounce:
            self.wake()
        return step

    # --- upkeep ---------------------------------------------------------------

    async def purge(self, keep: int) -> Purged:
        """See `retention.purge`."""
        return await self._run(partial(retention.purge, keep=keep))

    # --- for the probes -------------------------------------------------------

    async def ping(self) -> None:
        """Return once the database has answered."""
        await self._run(lambda connection, _now: connection.execute(text("SELECT 1")).scalar())

    async def let_go(self) -> None:
        """Release everything that this process still holds, so that nobody waits for its leases."""
        await self._run(self._leases.let_go)


def _resolve(batch: Sequence[Request], error: Exception | None) -> None:
    for request in batch:
        if request.stored.done():
            continue
        if error is None:
            request.stored.set_result(None)
        else:
            request.stored.set_exception(error)


@asynccontextmanager
async def open_store(
    url: str, inbox: Inbox, leases: Leases, clock: Clock = wall_clock
) -> AsyncIterator[Store]:
    """
    Yield the store behind *url*, migrated; leases are released when the block ends.

    *clock* is for SQLite only: PostgreSQL has its own.
    """
    async with _open_transactions(url, clock) as transactions:
        store = Store(transactions, inbox, leases)
        await store.unblock()
        try:
            yield store
        finally:
            with suppress(StoreUnavailable):
                await store.let_go()


def _open_transactions(url: str, clock: Clock) -> AbstractAsyncContextManager[Transactions]:
    if make_url(url).get_backend_name() == "sqlite":
        return open_sqlite(url, clock)
    # Here and not above: its driver comes with the extra `postgres`.
    from .postgres import open_postgres

    return open_postgres(url)
