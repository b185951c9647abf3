"""The two stores: how the service is told of one, and which messages are in it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from enum import StrEnum

import asyncpg
from sqlalchemy import make_url

_MIDS = "SELECT mid FROM events"


class Kind(StrEnum):
    """Which of the two, by its name."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"


def using(url: str) -> dict[str, str]:
    """Return the settings of a service whose store is at *url*."""
    return {"AK_STORE__URL": url}


def stored_mids(url: str) -> set[str]:
    """Return the messages that are in the store at *url*."""
    if make_url(url).get_backend_name() != "sqlite":
        return asyncio.run(_mids_on_server(url))
    with closing(sqlite3.connect(make_url(url).database or "")) as connection:
        return {mid for (mid,) in connection.execute(_MIDS)}


async def _mids_on_server(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {mid for (mid,) in await connection.fetch(_MIDS)}
    finally:
        await connection.close()
