"""
The embedded store: one SQLite file, one process, one thread that writes.

Work that is waiting when a transaction begins shares it, and so its one fsync.
"""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TextIO, TypeAlias

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url, update
from sqlalchemy.exc import DBAPIError

from ak_instagram.errors import StoreUnavailable

from .migrations import migrate
from .schema import conversations
from .transactions import Clock, T, Work, wall_clock

log = structlog.get_logger()

WAL_PAGES = 8000  # 32 MiB; moving them into the file stops the writer for a moment
MOST_SHARED = 256  # pieces of work in one transaction
BUSY_TIMEOUT = 2.0  # seconds to wait for another program's lock; Meta waits five for its answer


_held = conversations.c.lease_owner.is_not(None)
_FREE = update(conversations).where(_held).values(lease_owner=None, lease_until=0)


class StoreInUse(Exception):
    """Another process works on the same file."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that waits for the writer, and the future that waits for the work."""

    work: Work[Any]
    done: asyncio.Future[Any]


Outcome: TypeAlias = tuple[asyncio.Future[Any], Any, BaseException | None]


def open_engine(url: str, busy_timeout: float = BUSY_TIMEOUT) -> Engine:
    """
    Return an engine on the file in *url*, made if it is not there.

    *busy_timeout* is how many seconds it waits for another program's lock.
    WAL with `synchronous=FULL`: a commit is on the disk when it returns
    (https://www.sqlite.org/pragma.html#pragma_synchronous).
    """
    _make_room(url)
    # The writer thread alone uses the connection, but another thread opens and closes it.
    engine = create_engine(url, connect_args={"timeout": busy_timeout, "check_same_thread": False})
    event.listen(engine, "connect", _configure)
    return engine


def _make_room(url: str) -> None:
    file = make_url(url).database
    if not file:
        return
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreUnavailable(f"the folder of {file} can't be made: {exc.strerror}") from exc


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None  # the driver shall not begin transactions by itself
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"wal_autocheckpoint={WAL_PAGES}"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Write in the block, and commit at its end or roll back."""
    # On the driver: SQLAlchemy's bookkeeping costs more than the transaction.
    cursor = connection.connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        yield
        cursor.execute("COMMIT")
    except BaseException:
        if connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]  # connected
            cursor.execute("ROLLBACK")
        raise
    finally:
        cursor.close()


@contextmanager
def sole_user(url: str) -> Iterator[None]:
    """Hold the file's lock, or raise `StoreInUse` if another process holds it."""
    file = make_url(url).database
    path = Path(f"{file}.lock")
    with _open_lock(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise StoreInUse(
                f"another ak-instagram works on {file}: stop it first, or give this one a"
                " file of its own in store.url (AK_STORE__URL)"
            ) from exc
        yield


def _open_lock(path: Path) -> TextIO:
    try:
        return path.open("w")
    except OSError as exc:
        raise StoreUnavailable(f"{path} can't be written: {exc.strerror}") from exc


class Writer:
    """The thread that does all work on the file, many pieces of it in one transaction."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self.clock = clock
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._connection: Connection | None = None

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    async def stop(self) -> None:
        """Do the work that is waiting, then end."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def on_work(self, wake: Callable[[], None]) -> None:
        """See `Transactions.on_work`; no other process works on the file."""

    async def run(self, work: Work[T], *, urgent: bool = False) -> T:
        """See `Transactions.run`; whatever waits shares one transaction, urgent or not."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(Job(work, done))
        return await done

    def _serve(self) -> None:
        while jobs := self._next_jobs():
            outcomes = self._do(jobs)
            self._loop.call_soon_threadsafe(_deliver, outcomes)
        self._disconnect()

    def _next_jobs(self) -> list[Job]:
        """Wait for a job and take what else is there; nothing means the end."""
        jobs: list[Job] = []
        job = self._jobs.get()
        try:
            while job is not None and len(jobs) < MOST_SHARED - 1:
                jobs.append(job)
                job = self._jobs.get_nowait()
        except Empty:
            return jobs
        if job is not None:
            jobs.append(job)
        elif jobs:
            self._jobs.put(None)  # the end, but after these
        return jobs

    def _do(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Do *jobs* together, or one by one if one of them spoils it for the others."""
        try:
            return self._transaction(jobs)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it goes to who waits for it
            if len(jobs) == 1:
                return [(jobs[0].done, None, self._translate(exc))]
        return [outcome for job in jobs for outcome in self._do([job])]

    def _transaction(self, jobs: Sequence[Job]) -> list[Outcome]:
        now = self.clock()
        connection = self._connect()
        with transaction(connection):
            results = [job.work(connection, now) for job in jobs]
        return [(job.done, result, None) for job, result in zip(jobs, results, strict=True)]

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            # Closed for good: the pool shall not hand it out again.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _translate(self, exc: Exception) -> Exception:
        """Return *exc* as the store's error if the database refused; it is then opened anew."""
        cause = exc.orig if isinstance(exc, DBAPIError) else exc
        if not isinstance(cause, sqlite3.Error):
            return exc
        self._disconnect()
        log.error("store.refused", reason=str(cause))
        return StoreUnavailable(str(cause))


def _deliver(outcomes: Sequence[Outcome]) -> None:
    for done, result, error in outcomes:
        if done.done():
            continue
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)


def _prepare(engine: Engine) -> None:
    """Migrate, and free what a process that was killed still held: nobody else can."""
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection)
            connection.execute(_FREE)
    except DBAPIError as exc:
        raise StoreUnavailable(str(exc.orig)) from exc


@asynccontextmanager
async def open_sqlite(
    url: str, clock: Clock = wall_clock, busy_timeout: float = BUSY_TIMEOUT
) -> AsyncIterator[Writer]:
    """
    Yield the store behind *url*, migrated, until the block ends.

    Raises `StoreInUse` if another process works on the file, and
    `errors.StoreUnavailable` if it can't be opened.
    """
    engine = open_engine(url, busy_timeout)
    with sole_user(url):
        await asyncio.to_thread(_prepare, engine)
        writer = Writer(engine, clock)
        writer.start()
        try:
            yield writer
        finally:
            await writer.stop()
            engine.dispose()
