"""The two stores: how the service is told of one, and which messages are in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

_MIDS = "SELECT mid FROM events"


class Kind(StrEnum):
    """Which of the two, by its name."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"


def using(url: str) -> dict[str, str]:
    """Return the settings of a service whose store is at *url*."""
    return {"store.url": url}


def is_file(url: str) -> bool:
    """Return whether the store at *url* is a file, rather than on a server."""
    return make_url(url).get_backend_name() == "sqlite"


@contextmanager
def copied_file(url: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a copy in *folder* of the file at *url*, which is removed at the end."""
    copy = folder / "copy.db"
    shutil.copy(make_url(url).database or "", copy)
    os.sync()  # not while something is measured
    yield f"sqlite:///{copy}"
    copy.unlink()


def stored_mids(url: str) -> set[str]:
    """Return the messages that are in the store at *url*."""
    if not is_file(url):
        return asyncio.run(_mids_on_server(url))
    with closing(sqlite3.connect(make_url(url).database or "")) as connection:
        return {mid for (mid,) in connection.execute(_MIDS)}


async def _mids_on_server(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {mid for (mid,) in await connection.fetch(_MIDS)}
    finally:
        await connection.close()
