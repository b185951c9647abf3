"""
The store as the rest of the service sees it: what it returns from is durable.

Group commit: webhooks of the same moment share a transaction; each gets its own result.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from itertools import chain
from operator import itemgetter
from typing import Concatenate, NamedTuple, TypeAlias

from sqlalchemy import Connection, delete, insert, make_url

from ak_instagram.errors import StoreUnavailable
from ak_instagram.meta.events import Event

from .database import Clock, Database, P, T, Tx, WorkerIdentity
from .dispatch import Dispatcher
from .schema import compatibility
from .sqlite.engine import open_sqlite
from .sqlite.writer import wall_clock
from .statement import Statement
from .values import Claim, LeaseId
from .verbs import claims

MAX_EVENTS = 512  # events of one batch
SPACING = 0.004  # seconds between the batches of webhooks that queue up
# Stores a batch in one transaction; returns once that is durable.
StoreBatch: TypeAlias = Callable[[Sequence[Event]], Awaitable[None]]
RENEWALS = 500  # leases that are extended in one transaction: webhooks wait for it too

# Changed and changed back: an update to the same value is no write to SQLite.
_MARK = Statement(insert(compatibility).values(oldest="written by the readiness probe"))
_UNMARK = Statement(
    delete(compatibility).where(compatibility.c.oldest == "written by the readiness probe")
)


class Store:
    """
    Events, conversations and pieces of one database, for one worker.

    `run` runs the verbs in `store.verbs`; what takes more than one transaction, or none,
    is a method here. Events come in by `put`, see `Batcher.put`; the worker gets its work by
    `claim`, see `Dispatcher.claim`. Everything may raise `errors.StoreUnavailable`.
    """

    def __init__(
        self, database: Database, worker: WorkerIdentity, *, renewals: int = RENEWALS
    ) -> None:
        self.dispatcher = Dispatcher(database, worker)
        self._database = database
        self._worker = worker
        self._renewals = renewals
        self._renewed: frozenset[LeaseId] = frozenset()
        self._renewed_until = 0
        self.put = Batcher(self.dispatcher.put).put
        self.claim = self.dispatcher.claim

    async def run(
        self, verb: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        Return what *verb* returns, in a transaction of its own, after its commit.

        *verb* may run more than once. Raises what *verb* raises.
        """

        def work(connection: Connection, now: int) -> tuple[T, list[int]]:
            tx = Tx(connection, now, self._worker)
            return verb(tx, *args, **kwargs), tx.due_in

        result, due_in = await self._database.run(work)
        for milliseconds in due_in:
            self.dispatcher.look_in(milliseconds)
        return result

    async def renew(self) -> frozenset[LeaseId]:
        """
        Extend all leases of this process, and return what it holds.

        What was claimed while this ran may be missing.
        """
        parts = [await self.run(claims.renew, claims.BEGINNING, self._renewals)]
        while (last := parts[-1].last) is not None:  # webhooks come in between
            parts.append(await self.run(claims.renew, last, self._renewals))
        self._renewed = frozenset().union(*(part.held for part in parts))
        self._renewed_until = parts[0].until
        return self._renewed

    async def abandon(self, lease_ids: Collection[LeaseId]) -> None:
        """
        Release the conversations of *lease_ids*, which are still due.

        Nobody may be working on them, nor begin before the lease of their claim is over.
        """
        self._renewed -= frozenset(lease_ids)
        await self.run(claims.abandon, lease_ids)

    def lease_left(self, claim: Claim) -> float:
        """
        Return for how many seconds nobody else can hold the conversation; below 0: somebody may.

        A claim that was abandoned counts until the lease it began with is over.
        """
        is_renewed = (claim.account, claim.contact, claim.fence) in self._renewed
        until = max(claim.lease_until, self._renewed_until) if is_renewed else claim.lease_until
        return (until - self._database.clock()) / 1000

    def now(self) -> int:
        """Return the database's time in UTC milliseconds, as far as it is known here."""
        return self._database.clock()

    async def ping(self) -> None:
        """
        Return once the database has taken a write; it is asked for one.

        Not if it has just stored a webhook: then the next call asks.
        """
        if self.dispatcher.took_write:
            self.dispatcher.took_write = False
        else:
            await self.run(write_and_undo)


def write_and_undo(tx: Tx) -> None:
    """Write something that nobody else sees, and that leaves nothing behind."""
    # Within one transaction, and committed: a rollback would not touch the disk.
    _MARK.run(tx)
    _UNMARK.run(tx)


class Request(NamedTuple):
    """One webhook's events, and the future that waits for them to be durable."""

    events: Sequence[Event]
    stored: asyncio.Future[None]


class Batcher:
    """Puts requests that wait at the same time into one batch, so that they share a commit."""

    def __init__(self, store_batch: StoreBatch) -> None:
        self._store_batch = store_batch
        self._requests: deque[Request] = deque()
        self._storing: asyncio.Task[None] | None = None

    def put(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """Wait until *events* are durable; raises what storing them raises."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests.append(Request(events, stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all())
        return stored

    async def _store_all(self) -> None:
        try:
            while self._requests:
                began = asyncio.get_running_loop().time()
                batch: list[Request] = []
                room = MAX_EVENTS
                while self._requests and room > 0:
                    batch.append(self._requests.popleft())
                    room -= len(batch[-1].events)
                await self._store(batch)
                if self._requests:
                    # Under load: the longer, the more of them share the next commit.
                    spent = asyncio.get_running_loop().time() - began
                    await asyncio.sleep(max(SPACING - spent, 0))
        finally:
            self._storing = None

    async def _store(self, batch: Sequence[Request]) -> None:
        error: Exception | None = None
        try:
            await self._store_batch(list(chain.from_iterable(map(itemgetter(0), batch))))
        except StoreUnavailable as exc:
            error = exc
        except Exception as exc:  # noqa: BLE001 - one request spoils it; the others shall not pay
            if len(batch) > 1:
                for request in batch:
                    await self._store([request])
                return
            error = exc
        for request in batch:
            if request.stored.done():
                continue
            if error is None:
                request.stored.set_result(None)
            else:
                request.stored.set_exception(error)


@asynccontextmanager
async def open_store(
    url: str, worker: WorkerIdentity, clock: Clock = wall_clock
) -> AsyncIterator[Store]:
    """
    Yield the store behind *url*, migrated; leases are released when the block ends.

    *clock* is for SQLite only: PostgreSQL has its own.
    """
    if make_url(url).get_backend_name() == "sqlite":
        opened: AbstractAsyncContextManager[Database] = open_sqlite(url, clock)
    else:
        # Here and not above: its driver comes with the extra `postgres`.
        from .postgres.engine import open_postgres

        opened = open_postgres(url)
    async with opened as database:
        store = Store(database, worker)
        await store.run(claims.unblock)
        try:
            yield store
        finally:
            with suppress(StoreUnavailable):
                await store.run(claims.release_all)
