"""The store as the rest of the service sees it: what it returns from is durable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Concatenate

from sqlalchemy import Connection, make_url, text

from ak_instagram.errors import StoreUnavailable

from .batching import Batcher
from .database import Clock, Database, P, T, Tx, WorkerIdentity
from .dispatch import Dispatcher
from .sqlite.engine import open_sqlite
from .sqlite.writer import wall_clock
from .statement import Statement
from .values import Claim, LeaseId
from .verbs import claims

RENEWALS = 500  # leases that are extended in one transaction: webhooks wait for it too

_PING = Statement(text("SELECT 1"))


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
        """Return once the database has answered."""
        await self.run(_PING.value)


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
