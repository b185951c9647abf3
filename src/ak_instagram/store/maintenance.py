"""Work on the store from beside a running service, as the command line does."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.sqlite.file import open_engine, transaction

from .database import T, Work, wall_clock


class MaintenanceSession(Protocol):
    """A store that somebody else may be working on."""

    async def run(self, work: Work[T]) -> T:
        """
        Return what *work* returns, in a transaction of its own.

        The service finds what became due within seconds. Raises `errors.StoreUnavailable`
        when the database refuses.
        """
        ...


@asynccontextmanager
async def visit(url: str) -> AsyncIterator[MaintenanceSession]:
    """
    Yield the store behind *url*, as it is: nothing is made, nothing is migrated.

    Raises `errors.StoreUnavailable` if there is none, or if it is another version's.
    """
    # Here and not above: Alembic takes a tenth of a second, and most commands visit nothing.
    from .migrations import check

    async with _open(url) as visited:
        await visited.run(lambda connection, _now: check(connection))
        yield visited


def _open(url: str) -> AbstractAsyncContextManager[MaintenanceSession]:
    if make_url(url).get_backend_name() == "sqlite":
        return _open_file(url)
    # Here and not above: its driver comes with the extra `postgres`.
    from ak_instagram.store.postgres.engine import open_pool

    return open_pool(url)


class _File:
    """A SQLite file; the process that works on it waits for each transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def run(self, work: Work[T]) -> T:
        """See `MaintenanceSession.run`."""
        try:
            with self._engine.connect() as connection, transaction(connection):
                return work(connection, wall_clock())
        except (DBAPIError, sqlite3.Error) as exc:
            raise StoreUnavailable(str(getattr(exc, "orig", exc))) from exc


@asynccontextmanager
async def _open_file(url: str) -> AsyncIterator[_File]:
    _require(make_url(url).database or "")
    engine = open_engine(url)
    try:
        yield _File(engine)
    finally:
        engine.dispose()


def _require(file: str) -> None:
    if not Path(file).exists():
        raise StoreUnavailable(f"there is no store at {file}; has the service run yet?")
