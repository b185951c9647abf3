"""A PostgreSQL server of our own, which starts when somebody first wants a database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy import make_url

from qa.support import postgres

_STATEMENT = re.compile(r"LOG:  (statement|execute )")


class Databases:
    """New databases on a server with the settings that it comes with."""

    def __init__(self) -> None:
        self._server: postgres.Server | None = None

    def new(self) -> str:
        """Return the URL of a new, empty database."""
        return self._running().database()

    @contextmanager
    def copied(self, url: str) -> Iterator[str]:
        """Yield the URL of a new database like the one at *url*, which is dropped at the end."""
        server = self._running()
        copy = server.copy(url)
        yield copy
        server.drop(copy)

    def log_statements(self, url: str) -> None:
        """Count what is executed on connections to *url* that are opened from now on."""
        name = make_url(url).database
        asyncio.run(_execute(url, f"ALTER DATABASE {name} SET log_statement = 'all'"))

    def statements(self) -> int:
        """Return how many statements have been counted."""
        if self._server is None:
            return 0
        return len(_STATEMENT.findall((self._server.folder / "server.log").read_text()))

    def _running(self) -> postgres.Server:
        if self._server is None:
            self._server = postgres.launch()
        return self._server

    def close(self) -> None:
        """Stop the server, if it runs, and forget all databases."""
        if self._server is not None:
            postgres.discard(self._server)
            self._server = None


@contextmanager
def open_databases() -> Iterator[Databases]:
    """Keep the databases while the block runs."""
    databases = Databases()
    try:
        yield databases
    finally:
        databases.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
