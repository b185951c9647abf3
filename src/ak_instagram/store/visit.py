"""Work on the store from beside a running service, as the command line does."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from ak_instagram.errors import StoreUnavailable

from .sqlite_file import open_engine, transaction
from .transactions import T, Work, wall_clock


async def visit(url: str, work: Work[T]) -> T:
    """
    Return what *work* returns, in a transaction of its own on the store behind *url*.

    The service may run meanwhile; it finds what became due within seconds. Raises
    `errors.StoreUnavailable` if there is no such store.
    """
    if make_url(url).get_backend_name() != "sqlite":
        # Here and not above: its driver comes with the extra `postgres`.
        from .postgres import open_postgres

        async with open_postgres(url) as pool:
            return await pool.run(work)
    return _visit_file(url, work)


def _visit_file(url: str, work: Work[T]) -> T:
    file = make_url(url).database or ""
    if not Path(file).exists():
        raise StoreUnavailable(f"there is no store at {file}; has the service run yet?")
    engine = open_engine(url)
    try:
        with engine.connect() as connection, transaction(connection):
            return work(connection, wall_clock())
    except (DBAPIError, sqlite3.Error) as exc:
        raise StoreUnavailable(str(getattr(exc, "orig", exc))) from exc
    finally:
        engine.dispose()
