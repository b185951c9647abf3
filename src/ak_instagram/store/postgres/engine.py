"""
The shared store: PostgreSQL, for any number of replicas, which meet nowhere else.

A replica that stores what it can't work on itself notifies the others. All go by the
server's clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ak_instagram.errors import LeaseLost
from ak_instagram.store.database import T, Work

from .connections import (
    CONNECT_WITHIN,
    LOOK,
    connect_args,
    driver_url,
    has_ended,
    listen,
    replace_ended,
)
from .errors import REFUSED, CutOff, is_bug, is_lost, is_passing, refusal
from .migrating import migrate_when_free

CONNECTIONS = 8  # of one process for turns
RESERVED = 2  # for webhooks; one more listens
ANSWER_WITHIN = 10.0  # seconds for one statement
IDLE_WITHIN = 3.0  # seconds between two statements of a transaction; then the server ends it
TRIES = 5  # of a transaction that was in another's way, or whose line was cut
CLOCK_AGE = 30.0  # seconds after which the server's time is asked for again
CLOCK_DOUBT = 0.5  # seconds that asking may take; a process that was stopped meanwhile asks again
CLOCK_TRIES = 3


class ServerClock:
    """
    The database's time, on this machine's steady clock between two looks at it.

    Replicas so agree on when a lease ends, whatever their own clocks show.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._seen_at = 0.0
        self._server_time = 0.0

    def __call__(self) -> int:
        """Return the server's time in UTC milliseconds."""
        return int(self._server_time + (self._steady() - self._seen_at) * 1000)

    @property
    def is_stale(self) -> bool:
        """Whether it has to be set (again)."""
        return not self._server_time or self._steady() - self._seen_at > CLOCK_AGE

    async def read(self, connection: AsyncConnection) -> None:
        """
        Set it by the server's; it is off by half of what asking took, at most.

        Raises `TimeoutError` if that is too long each time.
        """
        for _ in range(CLOCK_TRIES):
            before = self._steady()
            answer = await connection.execute(
                text("SELECT extract(epoch FROM clock_timestamp()) * 1000")
            )
            after = self._steady()
            if after - before <= CLOCK_DOUBT:
                self._seen_at = (before + after) / 2
                self._server_time = float(answer.scalar_one())
                return
        raise TimeoutError("the server takes too long to tell the time")


class Pool:
    """Database on a server, several at a time; see `Database`."""

    is_shared = True

    def __init__(self, engine: AsyncEngine, clock: ServerClock) -> None:
        self._engine = engine
        self.clock = clock
        # Turns queue up here, without a time-out, and leave connections to webhooks.
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._listeners: list[Callable[[], None]] = []

    def on_notify(self, wake: Callable[[], None]) -> None:
        """See `Database.on_notify`."""
        self._listeners.append(wake)

    def wake(self) -> None:
        """Tell all who want to know that there is work."""
        for listener in self._listeners:
            listener()

    async def listen(self, *, look_every: float = LOOK) -> None:
        """Hear for ever of work that other replicas have stored; see `connections.listen`."""
        await listen(self._engine, self.wake, look_every=look_every)

    async def run(self, work: Work[T], *, urgent: bool = False) -> T:
        """See `Database.run`."""
        async with nullcontext() if urgent else self._room:
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
    url: str,
    clock: ServerClock | None = None,
    *,
    answer_within: float = ANSWER_WITHIN,
    idle_within: float = IDLE_WITHIN,
) -> AsyncIterator[Pool]:
    """
    Yield the store behind *url* as it is: nothing is migrated, and other replicas not heard.

    *answer_within* is how many seconds one statement may take, *idle_within* how many may
    pass between two of a transaction.
    """
    engine = create_async_engine(
        driver_url(url),
        pool_size=CONNECTIONS + RESERVED + 1,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN,
        connect_args={**connect_args(idle_within), "command_timeout": answer_within},
    )
    replace_ended(engine)
    try:
        yield Pool(engine, clock or ServerClock())
    finally:
        await engine.dispose()
