"""The store as the rest of the service sees it: verbs that are durable when they return."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

from sqlalchemy import Connection, make_url, text

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable
from ak_instagram.meta.events import Event
from ak_instagram.store.sqlite.engine import open_sqlite
from ak_instagram.store.verbs.backlog import Backlog
from ak_instagram.store.verbs.claims import BEGINNING, Leases, Renewal
from ak_instagram.store.verbs.inbox import Inbox
from ak_instagram.store.verbs.retention import Purged
from ak_instagram.store.verbs.steps import Turns

from .batching import Batcher
from .database import Clock, Database, Work, notify, wall_clock
from .dispatch import Dispatcher, Poll
from .values import (
    MAX_CLAIMS,
    Claim,
    LeaseId,
    PieceStatus,
    Receipt,
    TurnResult,
    WaitReason,
)
from .verbs import backlog, retention


class Store:
    """
    Events, conversations and pieces, durable when a verb returns.

    Every verb may raise `errors.StoreUnavailable`; those that take a claim also
    `errors.LeaseLost`, when another worker holds its conversation now. Verbs that
    end a step of a claim return the next one, `None` when the claim has ended: nothing
    is due any more, or it has to wait.
    """

    def __init__(self, database: Database, inbox: Inbox, leases: Leases) -> None:
        self._run = database.run
        self._clock = database.clock
        self._renewed: frozenset[LeaseId] = frozenset()
        self._renewed_until = 0
        self._inbox = inbox
        self._leases = leases
        self._turns = Turns(leases, inbox.takeover_pause)
        self._batcher = Batcher(self._store_batch)
        self._dispatcher = Dispatcher(database, leases)

    # --- the webhook's verb ---------------------------------------------------

    async def put(self, arrivals: Sequence[Event]) -> None:
        """Store *arrivals*; what waits at the same time is stored in one transaction."""
        await self._batcher.put(arrivals)

    async def _store_batch(self, batch: Sequence[Event]) -> None:
        room = self._dispatcher.room
        receipt, found = await self._run(
            partial(self._put_and_claim, batch=batch, room=room), urgent=True
        )
        metrics.EVENTS_STORED.inc(receipt.fresh)
        metrics.EVENTS_DUPLICATE.inc(receipt.repeats)
        if room:
            await self._give_back(self._dispatcher.offer(found))
        else:
            self._dispatcher.wake()  # whoever is just looking may have looked too early

    def _put_and_claim(
        self, connection: Connection, now: int, batch: Sequence[Event], room: int
    ) -> tuple[Receipt, Poll]:
        """Store *batch*, and claim what it makes due for a worker that waits, if one does."""
        receipt = self._inbox.put(connection, now, batch)
        if not receipt.fresh:
            return receipt, Poll([])
        found = self._dispatcher.look(connection, now, room) if room else Poll([])
        if len(found.claims) >= min(room, MAX_CLAIMS):
            notify(connection)  # there may be more than this process takes
        return receipt, found

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        """Release *claims* that came too late; their events are stored whatever becomes of it."""
        if claims:
            with suppress(StoreUnavailable):
                await self.abandon([claim.lease_id for claim in claims], urgent=True)

    # --- the worker's verbs ---------------------------------------------------

    async def claim(self, limit: int) -> list[Claim]:
        """
        Wait for conversations that are due and take the oldest, up to *limit* of them.

        No more than `values.MAX_CLAIMS` at a time; what webhooks bring meanwhile comes on
        top. Returns none when nothing came up for a while. Call it from one task only.
        """
        return await self._dispatcher.claim(limit)

    async def renew(self) -> frozenset[LeaseId]:
        """
        Extend all leases of this process, and return what it holds.

        What was claimed while this ran may be missing.
        """
        parts: list[Renewal] = []
        after: tuple[str, str] | None = BEGINNING
        while after is not None:  # webhooks come in between
            parts.append(await self._run(partial(self._leases.renew, after=after)))
            after = parts[-1].last
        self._renewed = frozenset().union(*(part.held for part in parts))
        self._renewed_until = parts[0].until
        return self._renewed

    def now(self) -> int:
        """Return the database's time in UTC milliseconds, as far as it is known here."""
        return self._clock()

    def lease_left(self, claim: Claim) -> float:
        """
        Return for how many seconds nobody else can hold the conversation; below 0: somebody may.

        A claim that was abandoned counts until the lease it began with is over.
        """
        is_renewed = claim.lease_id in self._renewed
        until = max(claim.lease_until, self._renewed_until) if is_renewed else claim.lease_until
        return (until - self._clock()) / 1000

    async def abandon(self, lease_ids: Collection[LeaseId], *, urgent: bool = False) -> None:
        """
        Release *holdings*, which are still due; *urgent*: a webhook waits for it.

        Nobody may be working on them, nor begin before the lease of their claim is over.
        """
        self._renewed -= frozenset(lease_ids)
        await self._run(partial(self._abandon, lease_ids=lease_ids), urgent=urgent)
        self._dispatcher.wake()

    def _abandon(self, connection: Connection, now: int, lease_ids: Collection[LeaseId]) -> None:
        self._leases.abandon(connection, now, lease_ids)
        notify(connection)

    async def wake_account(self, account: str) -> int:
        """Make all conversations due that wait for *account*; return how many."""
        woken = await self._run(partial(self._leases.wake_account, account=account))
        self._dispatcher.wake()
        return woken

    async def unblock(self) -> None:
        """Make all conversations due that wait for an account: who blocked it may be gone."""
        await self._run(self._leases.unblock)

    async def settle(self, claim: Claim, turn_result: TurnResult) -> Claim | None:
        """
        End the turn's events, plan its answer, and return the next step.

        Nothing is settled if the person took back one of its messages meanwhile: the
        next step is then the turn anew. Nothing is planned if a person has answered.
        """
        return await self._step(partial(self._turns.settle, claim=claim, turn_result=turn_result))

    async def sent(self, claim: Claim, message_id: str) -> Claim | None:
        """Note that the claim's piece was sent, as *message_id*, and return the next step."""
        return await self._step(partial(self._turns.sent, claim=claim, message_id=message_id))

    async def give_up(self, claim: Claim, why: str) -> Claim | None:
        """Give up the claim's piece and the rest of its answer, and return the next step."""
        return await self._step(partial(self._turns.give_up, claim=claim, why=why))

    async def close_window(self, claim: Claim, why: str) -> Claim | None:
        """Take the 24 h window for closed, as Meta does: park the piece, return the next step."""
        return await self._step(partial(self._turns.close_window, claim=claim, why=why))

    async def sent_ids(self, claim: Claim) -> frozenset[str]:
        """Return the ids under which Meta took this conversation's latest pieces."""
        return await self._run(partial(self._turns.sent_ids, claim=claim))

    async def retry(
        self,
        claim: Claim,
        *,
        after: float,
        why: str,
        then: PieceStatus = PieceStatus.PLANNED,
        wait_reason: WaitReason | None = None,
    ) -> None:
        """
        Release the conversation and come back in *after* seconds; messages don't hasten that.

        *then* is what becomes of the claim's piece: `SENDING` when it may have arrived.
        With a *blocker* the conversation is not to blame, and the wait uses up no try.
        """
        await self._run(
            partial(
                self._turns.retry,
                claim=claim,
                after=int(after * 1000),
                why=why,
                then=then,
                wait_reason=wait_reason,
            )
        )
        self._dispatcher.wake_in(after)

    async def _step(self, work: Work[Claim | None]) -> Claim | None:
        """Return the next step; a claim that ends may leave something that is due soon."""
        step = await self._run(work)
        if step is None and self._inbox.debounce:
            self._dispatcher.wake()
        return step

    # --- upkeep ---------------------------------------------------------------

    async def purge(self, keep: int) -> Purged:
        """
        Forget what is settled and older than *keep* milliseconds, a few hundred rows at a time.

        Returns how many; none means that nothing was left.
        """
        return await self._run(partial(retention.purge, keep=keep))

    async def backlog(self) -> Backlog:
        """Return what waits in the store."""
        return await self._run(backlog.look)

    async def release_all(self) -> None:
        """Release everything that this process still holds, so that nobody waits for its leases."""
        await self._run(self._leases.release_all)

    # --- for the probes -------------------------------------------------------

    async def ping(self) -> None:
        """Return once the database has answered."""
        await self._run(lambda connection, _now: connection.execute(text("SELECT 1")).scalar())


@asynccontextmanager
async def open_store(
    url: str, inbox: Inbox, leases: Leases, clock: Clock = wall_clock
) -> AsyncIterator[Store]:
    """
    Yield the store behind *url*, migrated; leases are released when the block ends.

    *clock* is for SQLite only: PostgreSQL has its own.
    """
    async with _open_transactions(url, clock) as database:
        store = Store(database, inbox, leases)
        await store.unblock()
        try:
            yield store
        finally:
            with suppress(StoreUnavailable):
                await store.release_all()


def _open_transactions(url: str, clock: Clock) -> AbstractAsyncContextManager[Database]:
    if make_url(url).get_backend_name() == "sqlite":
        return open_sqlite(url, clock)
    # Here and not above: its driver comes with the extra `postgres`.
    from ak_instagram.store.postgres.engine import open_postgres

    return open_postgres(url)
