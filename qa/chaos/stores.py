"""The stores: where they are, how they fail, and how much they still have to do."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Protocol

import asyncpg

from qa.support import postgres

NAMES = ("sqlite", "postgres")
LOCKED = (1.0, 5.0)  # seconds; the service waits for two
AWAY = (0.2, 2.0)  # seconds that a server is gone
_OPEN = (
    "SELECT (SELECT count(*) FROM events WHERE status = 'waiting')"
    " + (SELECT count(*) FROM outbox WHERE status IN ('planned', 'sending', 'parked'))"
)

_GIVEN_UP = "SELECT payload FROM events WHERE status = 'dead'"


class Store(Protocol):
    """A database that *replicas* processes share."""

    name: str
    url: str
    replicas: int

    async def fail(self, chance: random.Random) -> None:
        """Be out of order for a while; return when it is over."""
        ...

    async def work(self) -> int:
        """Return how many events and pieces wait."""
        ...

    async def given_up(self) -> list[str]:
        """Return the payloads of the dead letters: answers that broke off."""
        ...


class Sqlite:
    """A file; it fails when another program locks it."""

    name = "sqlite"
    replicas = 1

    def __init__(self, folder: Path) -> None:
        self._file = folder / "store.db"
        self.url = f"sqlite:///{self._file}"

    async def fail(self, chance: random.Random) -> None:
        """Lock the file."""
        await asyncio.to_thread(self._lock, chance.uniform(*LOCKED))

    def _lock(self, seconds: float) -> None:
        # Nothing happens if a process was stopped while it wrote: it has the lock.
        with (
            closing(sqlite3.connect(self._file, timeout=0.5, isolation_level=None)) as connection,
            suppress(sqlite3.OperationalError),
        ):
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)

    async def work(self) -> int:
        """Return how many events and pieces wait."""
        with closing(sqlite3.connect(self._file)) as connection:
            count: int = connection.execute(_OPEN).fetchone()[0]
            return count

    async def given_up(self) -> list[str]:
        """Return the payloads of the dead letters."""
        with closing(sqlite3.connect(self._file)) as connection:
            return [payload for (payload,) in connection.execute(_GIVEN_UP)]


class Postgres:
    """A server of its own; it crashes and comes back, or cuts all connections."""

    name = "postgres"
    replicas = 3

    def __init__(self, server: postgres.Server) -> None:
        self._server = server
        self._failing = asyncio.Lock()  # a server that is still coming back can't be stopped
        self.url = server.database()

    async def fail(self, chance: random.Random) -> None:
        """Cut the connections or crash."""
        async with self._failing:
            if chance.random() < 0.5:
                await asyncio.to_thread(self._server.cut_connections)
            else:
                await self._crash(chance.uniform(*AWAY))

    async def _crash(self, away: float) -> None:
        await asyncio.to_thread(self._server.stop, "immediate")
        await asyncio.sleep(away)
        await asyncio.to_thread(self._server.start)

    async def work(self) -> int:
        """Return how many events and pieces wait."""
        connection = await asyncpg.connect(self.url)
        try:
            count: int = await connection.fetchval(_OPEN)
            return count
        finally:
            await connection.close()

    async def given_up(self) -> list[str]:
        """Return the payloads of the dead letters."""
        connection = await asyncpg.connect(self.url)
        try:
            return [payload for (payload,) in await connection.fetch(_GIVEN_UP)]
        finally:
            await connection.close()


@asynccontextmanager
async def open_store(name: str, folder: Path) -> AsyncIterator[Store]:
    """Yield the store called *name*, new and empty."""
    if name == "sqlite":
        yield Sqlite(folder)
        return
    server = await asyncio.to_thread(postgres.launch)
    try:
        yield Postgres(server)
    finally:
        await asyncio.to_thread(postgres.discard, server)
