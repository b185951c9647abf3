"""The store as the rest of the service sees it: verbs that are durable when they return."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

from sqlalchemy import Connection, make_url, text

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable

from . import backlog, retention
from .backlog import Backlog
from .inbox import Inbox
from .intake import Intake
from .leases import Leases
from .lookout import Found, Lookout
from .retention import Purged
from .sqlite import open_sqlite
from .transactions import Clock, Transactions, Work, notify, wall_clock
from .turns import Turns
from .values import Arrival, Blocker, Claim, PieceStatus, Receipt, Settlement


class Store:
    """Events, conversations and pieces; every verb may raise `errors.StoreUnavailable`."""

    def __init__(self, transactions: Transactions, inbox: Inbox, leases: Leases) -> None:
        self._run = transactions.run
        self._clock = transactions.clock
        self._renewed_until = 0
        self._inbox = inbox
        self._leases = leases
        self._turns = Turns(leases, inbox.takeover_pause)
        self._intake = Intake(self._store_batch)
        self._lookout = Lookout(transactions, leases)

    # --- the webhook's verb ---------------------------------------------------

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Store *arrivals*; what waits at the same time is stored in one transaction."""
        await self._intake.put(arrivals)

    async def _store_batch(self, batch: Sequence[Arrival]) -> None:
        room = self._lookout.room
        receipt, found = await self._run(
            partial(self._put_and_claim, batch=batch, room=room), urgent=True
        )
        metrics.EVENTS_STORED.inc(receipt.fresh)
        metrics.EVENTS_REPEATED.inc(receipt.repeats)
        if room:
            self._lookout.hand_over(found)
        else:
            self._lookout.wake()  # whoever is just looking may have looked too early

    def _put_and_claim(
        self, connection: Connection, now: int, batch: Sequence[Arrival], room: int
    ) -> tuple[Receipt, Found]:
        """Store *batch*, and claim what it makes due for a worker that waits, if one does."""
        receipt = self._inbox.put(connection, now, batch)
        if receipt.fresh and room:
            return receipt, self._lookout.look(connection, now, room)
        if receipt.fresh:
            notify(connection)
        return receipt, Found([])

    # --- the worker's verbs ---------------------------------------------------

    async def claim(self, most: int) -> list[Claim]:
        """See `Lookout.claim`."""
        return await self._lookout.claim(most)

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
        self._lookout.wake()
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
        self._lookout.wake_in(after)

    async def _step(self, work: Work[Claim | None]) -> Claim | None:
        """Return the next step; a claim that ends may leave something that is due soon."""
        step = await self._run(work)
        if step is None and self._inbox.debounce:
            self._lookout.wake()
        return step

    # --- upkeep ---------------------------------------------------------------

    async def purge(self, keep: int) -> Purged:
        """See `retention.purge`."""
        return await self._run(partial(retention.purge, keep=keep))

    async def backlog(self) -> Backlog:
        """Return what waits in the store; see `Backlog`."""
        return await self._run(backlog.look)

    # --- for the probes -------------------------------------------------------

    async def ping(self) -> None:
        """Return once the database has answered."""
        await self._run(lambda connection, _now: connection.execute(text("SELECT 1")).scalar())

    async def let_go(self) -> None:
        """Release everything that this process still holds, so that nobody waits for its leases."""
        await self._run(self._leases.let_go)


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
