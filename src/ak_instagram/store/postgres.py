"""
The shared store: PostgreSQL, for any number of replicas.

They meet nowhere else. Who stores what it can't work on itself notifies the others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext

import structlog
from sqlalchemy import URL, make_url, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ak_instagram.backoff import Backoff
from ak_instagram.errors import LeaseLost, StoreUnavailable

from .migrations import migrate
from .transactions import CHANNEL, T, Work

log = structlog.get_logger()

CONNECTIONS = 8  # of one process for turns
RESERVED = 2  # for webhooks; one more listens
CONNECT_WITHIN = 3.0  # seconds; Meta waits five for its answer
ANSWER_WITHIN = 10.0  # seconds for one statement
CLOCK_AGE = 30.0  # seconds after which the server's time is asked for again
CLOCK_DOUBT = 0.5  # seconds that asking may take; a process that was stopped meanwhile asks again
CLOCK_TRIES = 3
CONFLICT_TRIES = 5
_CONFLICTS = frozenset({"40001", "40P01"})  # serialization failure, deadlock: try again
# Connection, read-only server, resources (a full disk), shutdown, system error.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_UNAVAILABLE = frozenset({"08", "25", "53", "57", "58"})
_MIGRATION_LOCK = 7_104_117  # any number, the same in all replicas
_RETRY = Backoff(first=0.2, factor=2, longest=5)
_Driver = AsyncAdapt_asyncpg_dbapi.Error  # what statements raise, which run on the driver
_REFUSED = (DBAPIError, _Driver, PoolTimeout, OSError, TimeoutError)


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
    """Transactions on a server, several at a time; see `Transactions`."""

    def __init__(self, engine: AsyncEngine, clock: ServerClock) -> None:
        self._engine = engine
        self.clock = clock
        # Turns queue up here, without a time-out, and leave connections to webhooks.
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._listeners: list[Callable[[], None]] = []

    def on_work(self, wake: Callable[[], None]) -> None:
        """See `Transactions.on_work`."""
        self._listeners.append(wake)

    def wake(self) -> None:
        """Tell all who want to know that there is work."""
        for listener in self._listeners:
            listener()

    async def run(self, work: Work[T], *, urgent: bool = False) -> T:
        """See `Transactions.run`."""
        async with nullcontext() if urgent else self._room:
            return await self._run(work)

    async def _run(self, work: Work[T]) -> T:
        for attempt in range(1, CONFLICT_TRIES + 1):
            try:
                return await self._try(work)
            except _REFUSED as exc:
                if _is_conflict(exc) and attempt < CONFLICT_TRIES:
                    continue
                if _is_bug(exc):
                    raise
                raise _refusal(exc) from exc
        raise AssertionError("unreachable")

    async def migrate(self) -> None:
        """Bring the schema up to date, one replica after the other."""
        async with self._engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK}
            )
            await connection.run_sync(migrate)

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
            if self.clock.is_stale:
                await self.clock.read(connection)
            return await connection.run_sync(work, self.clock())


def _is_conflict(exc: BaseException) -> bool:
    """Whether two transactions were in each other's way, which passes."""
    return _sqlstate(exc) in _CONFLICTS


def _is_bug(exc: BaseException) -> bool:
    """Whether the server understood and said no: it would do so again."""
    state = _sqlstate(exc)
    return state is not None and state[:2] not in _UNAVAILABLE and state not in _CONFLICTS


def _sqlstate(exc: BaseException) -> str | None:
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    return getattr(cause, "sqlstate", None)


def _refusal(exc: BaseException) -> StoreUnavailable:
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    reason = type(cause).__name__
    log.error("store.refused", reason=reason, sqlstate=_sqlstate(exc))
    return StoreUnavailable(reason)


def driver_url(url: str) -> URL:
    """Return *url* with the driver that is used."""
    return make_url(url).set(drivername="postgresql+asyncpg")


@asynccontextmanager
async def open_postgres(url: str, clock: ServerClock | None = None) -> AsyncIterator[Pool]:
    """
    Yield the store behind *url*, migrated.

    Raises `errors.StoreUnavailable` if the server can't be reached.
    """
    engine = create_async_engine(
        driver_url(url),
        pool_size=CONNECTIONS + RESERVED + 1,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN,
        pool_pre_ping=True,
        connect_args={"timeout": CONNECT_WITHIN, "command_timeout": ANSWER_WITHIN},
    )
    pool = Pool(engine, clock or ServerClock())
    listening = asyncio.create_task(_listen(engine, pool.wake), name="store-listener")
    try:
        await _migrate(pool)
        yield pool
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await engine.dispose()


async def _migrate(pool: Pool) -> None:
    try:
        await pool.migrate()
    except _REFUSED as exc:
        raise _refusal(exc) from exc


async def _listen(engine: AsyncEngine, wake: Callable[[], None]) -> None:
    """Hear notifications for ever; while the server is away, `Store` polls."""
    failures = 0
    while True:
        try:
            async with engine.connect() as connection:
                failures = 0
                await _hear(connection, wake)
        except _REFUSED as exc:
            failures += 1
            log.warning("store.listener_lost", reason=type(exc).__name__)
        await asyncio.sleep(_RETRY.pause(failures + 1))


async def _hear(connection: AsyncConnection, wake: Callable[[], None]) -> None:
    """Call *wake* for each notification until the connection ends."""
    raw = (await connection.get_raw_connection()).driver_connection
    if raw is None:
        return
    ended = asyncio.Event()
    raw.add_termination_listener(lambda _: ended.set())
    await raw.add_listener(CHANNEL, lambda *_: wake())
    wake()
    await ended.wait()
