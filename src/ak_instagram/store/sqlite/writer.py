"""
The writer: one thread does all work on a SQLite file, many jobs in one transaction.

Jobs that are waiting when a transaction begins share it, and so its one fsync.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeAlias

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.database import Clock, T, Work

log = structlog.get_logger()

MAX_JOBS = 64  # in one transaction: webhooks wait for it too


class Job(NamedTuple):
    """Work that waits for the writer, and the future that waits for the work."""

    work: Work[Any]
    done: asyncio.Future[Any]
    urgent: bool


Outcome: TypeAlias = tuple[asyncio.Future[Any], Any, BaseException | None]


def wall_clock() -> int:
    """Return the time in UTC milliseconds."""
    return time.time_ns() // 1_000_000


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


class Writer:
    """A thread of its own, and the transactions that it runs for the event loop."""

    is_shared = False

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self.clock = clock
        self._sent: SimpleQueue[Job | None] = SimpleQueue()
        self._urgent: deque[Job] = deque()
        self._others: deque[Job] = deque()
        self._is_stopped = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._connection: Connection | None = None

    # --- on the event loop ----------------------------------------------------

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    async def stop(self) -> None:
        """Do the work that is waiting, then end."""
        self._sent.put(None)
        await asyncio.to_thread(self._thread.join)

    def on_notify(self, wake: Callable[[], None]) -> None:
        """See `Database.on_notify`; no other process works on the file."""

    def run(self, work: Work[T], *, urgent: bool = False) -> asyncio.Future[T]:
        """See `Database.run`; whatever is waiting shares one transaction."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._sent.put(Job(work, done, urgent))
        return done

    # --- in the thread --------------------------------------------------------

    def _serve(self) -> None:
        while jobs := self._next_jobs():
            outcomes = self._do(jobs)
            self._loop.call_soon_threadsafe(_deliver, outcomes)
        self._disconnect()

    def _next_jobs(self) -> list[Job]:
        """Wait for a job and take what else is there, urgent ones first; none means the end."""
        while not (self._urgent or self._others or self._is_stopped) or not self._sent.empty():
            job = self._sent.get()
            if job is None:
                self._is_stopped = True
            else:
                (self._urgent if job.urgent else self._others).append(job)
        jobs: list[Job] = []
        for queue in (self._urgent, self._others):
            while queue and len(jobs) < MAX_JOBS:
                jobs.append(queue.popleft())
        return jobs

    def _do(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Do *jobs* together, or one by one if one of them spoils it for the others."""
        try:
            now = self.clock()
            self._connection = connection = self._connection or self._engine.connect()
            with transaction(connection):
                results = [job.work(connection, now) for job in jobs]
        except Exception as exc:  # noqa: BLE001 - whatever it is, it goes to who waits for it
            if len(jobs) == 1:
                return [(jobs[0].done, None, self._translate(exc))]
        else:
            return [(job.done, result, None) for job, result in zip(jobs, results, strict=True)]
        return [outcome for job in jobs for outcome in self._do([job])]

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
