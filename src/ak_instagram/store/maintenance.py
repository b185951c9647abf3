"""Maintenance sessions: commands work on the store from beside a running service."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Concatenate, Protocol

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ak_instagram.errors import StoreUnavailable

from .database import P, T, Tx, Work, WorkerIdentity
from .sqlite.engine import BUSY_TIMEOUT, open_engine
from .sqlite.writer import transaction, wall_clock

# Sessions claim nothing and store no events.
_NO_WORKER = WorkerIdentity(owner="maintenance", lease_ms=0)


class RunsWork(Protocol):
    """The part of a `Database` that a session needs."""

    async def run(self, work: Work[T]) -> T:
        """Return what *work* returns, after its transaction was committed."""
        ...


class MaintenanceSession:
    """Transactions on a store that a service may be working on; see `Transactions`."""

    def __init__(self, database: RunsWork) -> None:
        self._database = database

    async def run(
        self, verb: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        Return what *verb* returns, in a transaction of its own.

        The service finds what became due within seconds. Raises `errors.StoreUnavailable`
        when the database refuses.
        """
        return await self._database.run(
            lambda connection, now: verb(Tx(connection, now, _NO_WORKER), *args, **kwargs)
        )


@asynccontextmanager
async def open_for_maintenance(url: str) -> AsyncIterator[MaintenanceSession]:
    """
    Yield the store behind *url*, as it is: nothing is made, nothing is migrated.

    Raises `errors.StoreUnavailable` if there is none, or if it is another version's.
    """
    # Here and not above: Alembic takes a tenth of a second, and most commands open no store.
    from .migrations import check

    async with _open(url) as database:
        session = MaintenanceSession(database)
        await session.run(lambda tx: check(tx.connection))
        yield session


@asynccontextmanager
async def open_for_reading(url: str) -> AsyncIterator[MaintenanceSession]:
    """
    Yield the store behind *url* for verbs that only read, of whatever revision it is.

    A SQLite file is opened so that nothing can be written. Raises `errors.StoreUnavailable`
    if there is none.
    """
    if make_url(url).get_backend_name() != "sqlite":
        async with _open(url) as database:
            yield MaintenanceSession(database)
        return
    yield MaintenanceSession(ReadOnlyFile(_existing_file(url)))


def _open(url: str) -> AbstractAsyncContextManager[RunsWork]:
    if make_url(url).get_backend_name() == "sqlite":
        _existing_file(url)
        return _open_file(url)
    # Here and not above: its driver comes with the extra `postgres`.
    from .postgres.engine import open_pool

    return open_pool(url)


def _existing_file(url: str) -> Path:
    file = Path(make_url(url).database or "")
    if not file.exists():
        raise StoreUnavailable(f"there is no store at {file}; has the service run yet?")
    return file


@asynccontextmanager
async def _open_file(url: str) -> AsyncIterator[RunsWork]:
    engine = open_engine(url)
    try:
        yield SqliteFile(engine)
    finally:
        engine.dispose()


class SqliteFile:
    """A SQLite file; the process that works on it waits for each transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def run(self, work: Work[T]) -> T:
        """See `RunsWork.run`."""
        try:
            with self._engine.connect() as connection, transaction(connection):
                return work(connection, wall_clock())
        except (DBAPIError, sqlite3.Error) as exc:
            raise StoreUnavailable(str(getattr(exc, "orig", exc))) from exc


class ReadOnlyFile:
    """A SQLite file of which only reading is possible; each look has a thread and a connection."""

    def __init__(self, file: Path) -> None:
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(
                f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT
            ),
            poolclass=NullPool,
        )

    async def run(self, work: Work[T]) -> T:
        """See `RunsWork.run`."""

        def look() -> T:
            with self._engine.connect() as connection:
                return work(connection, wall_clock())

        try:
            return await asyncio.to_thread(look)
        except (DBAPIError, sqlite3.Error) as exc:
            raise StoreUnavailable(str(getattr(exc, "orig", exc))) from exc
