"""
The thread that does all work on a SQLite file, many pieces of it in one transaction.

Work that is waiting when a transaction begins shares it, and so its one fsync.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeAlias

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.database import Clock, T, Work

from .file import transaction

log = structlog.get_logger()

MAX_JOBS = 64  # in one transaction: webhooks wait for it too


class Job(NamedTuple):
    """Work that waits for the writer, and the future that waits for the work."""

    work: Work[Any]
    done: asyncio.Future[Any]
    urgent: bool


Outcome: TypeAlias = tuple[asyncio.Future[Any], Any, BaseException | None]


class Writer:
    """A thread of its own, and the transactions that it runs for the event loop."""

    is_shared = False

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self.clock = clock
        self._sent: SimpleQueue[Job | None] = SimpleQueue()
        self._jobs: deque[Job] = deque()
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

    def on_work(self, wake: Callable[[], None]) -> None:
        """See `Database.on_work`; no other process works on the file."""

    async def run(self, work: Work[T], *, urgent: bool = False) -> T:
        """See `Database.run`; whatever is waiting shares one transaction."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._sent.put(Job(work, done, urgent))
        return await done

    # --- in the thread --------------------------------------------------------

    def _serve(self) -> None:
        while jobs := self._next_jobs():
            outcomes = self._do(jobs)
            self._loop.call_soon_threadsafe(_deliver, outcomes)
        self._disconnect()

    def _next_jobs(self) -> list[Job]:
        """Wait for a job and take what else is there; nothing means the end."""
        while not (self._jobs or self._is_stopped) or not self._sent.empty():
            self._accept(self._sent.get())
        return [self._jobs.popleft() for _ in range(min(len(self._jobs), MAX_JOBS))]

    def _accept(self, job: Job | None) -> None:
        """Queue *job*, what Meta waits for in front; none is the end, after these."""
        if job is None:
            self._is_stopped = True
        elif job.urgent:
            self._jobs.appendleft(job)
        else:
            self._jobs.append(job)

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
