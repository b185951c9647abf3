"""
The shared store: PostgreSQL, for any number of replicas.

They meet nowhere else. Who stores what it can't work on itself notifies the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ak_instagram.errors import LeaseLost
from ak_instagram.store.database import T, Work

from .clock import ServerClock
from .connections import CONNECT_WITHIN, connect_args, driver_url, has_ended, replace_ended
from .errors import REFUSED, CutOff, is_bug, is_lost, is_passing, refusal
from .listener import listen
from .migrating import migrate_when_free

CONNECTIONS = 8  # of one process for turns
RESERVED = 2  # for webhooks; one more listens
ANSWER_WITHIN = 10.0  # seconds for one statement
IDLE_WITHIN = 3.0  # seconds between two statements of a transaction; then the server ends it
TRIES = 5  # of a transaction that was in another's way, or whose line was cut


class Pool:
    """Database on a server, several at a time; see `Database`."""

    is_shared = True

    def __init__(self, engine: AsyncEngine, clock: ServerClock) -> None:
        self._engine = engine
        self.clock = clock
        # Turns queue up here, without a time-out, and leave connections to webhooks.
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._listeners: list[Callable[[], None]] = []

    def on_work(self, wake: Callable[[], None]) -> None:
        """See `Database.on_work`."""
        self._listeners.append(wake)

    def wake(self) -> None:
        """Tell all who want to know that there is work."""
        for listener in self._listeners:
            listener()

    async def listen(self) -> None:
        """Hear for ever of work that other replicas have stored."""
        await listen(self._engine, self.wake)

    async def run(self, work: Work[T], *, urgent: bool = False) -> T:
        """See `Database.run`."""
        async with nullcontext() if urgent else self._room:
            return await self._run(work)

    async def _run(self, work: Work[T]) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                return await self._try(work)
            except (CutOff, *REFUSED) as exc:
                if is_passing(exc) and attempt < TRIES:
                    continue
                if is_bug(exc):
                    raise
                raise refusal(exc) from exc
        raise AssertionError("unreachable")

    async def _try(self, work: Work[T]) -> T:
        async with self._engine.connect() as connection:
            try:
                return await self._transact(connection, work)
            except LeaseLost:
                raise  # rolled back in good order
            except BaseException:
                # Cancelled or broken off: nobody knows what the driver takes itself to be
                # in the middle of. If that is a transaction, the next ones would be
                # savepoints in it, and durable never.
                await connection.invalidate()
                raise

    async def _transact(self, connection: AsyncConnection, work: Work[T]) -> T:
        async with connection.begin():
            try:
                if self.clock.is_stale:
                    await self.clock.read(connection)
                result = await connection.run_sync(work, self.clock())
            except REFUSED as exc:
                if is_lost(exc):
                    raise CutOff from exc
                raise
            if has_ended(connection):
                # Seen in time: once a commit is on its way, nobody can tell.
                await connection.invalidate()
                raise CutOff
            return result


@asynccontextmanager
async def open_postgres(url: str, clock: ServerClock | None = None) -> AsyncIterator[Pool]:
    """
    Yield the store behind *url*, migrated.

    Raises `errors.StoreUnavailable` if the server can't be reached.
    """
    await migrate_when_free(url)
    async with open_pool(url, clock) as pool:
        listening = asyncio.create_task(pool.listen(), name="store-listener")
        try:
            yield pool
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def open_pool(
    url: str, clock: ServerClock | None = None, answer_within: float = ANSWER_WITHIN
) -> AsyncIterator[Pool]:
    """
    Yield the store behind *url* as it is: nothing is migrated, and other replicas not heard.

    *answer_within* is how many seconds one statement may take.
    """
    engine = _open_engine(url, answer_within)
    try:
        yield Pool(engine, clock or ServerClock())
    finally:
        await engine.dispose()


def _open_engine(url: str, answer_within: float) -> AsyncEngine:
    engine = create_async_engine(
        driver_url(url),
        pool_size=CONNECTIONS + RESERVED + 1,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN,
        connect_args={**connect_args(IDLE_WITHIN), "command_timeout": answer_within},
    )
    replace_ended(engine)
    return engine
