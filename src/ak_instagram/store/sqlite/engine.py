"""The embedded store: one SQLite file, one process, one thread that writes."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO

from sqlalchemy import Engine, make_url, update
from sqlalchemy.exc import DBAPIError

from ak_instagram.errors import StoreInUse, StoreUnavailable
from ak_instagram.store.database import Clock, wall_clock
from ak_instagram.store.migrations import migrate
from ak_instagram.store.schema import conversations

from .file import BUSY_TIMEOUT, open_engine
from .writer import Writer

_held = conversations.c.lease_owner.is_not(None)
_FREE = update(conversations).where(_held).values(lease_owner=None, lease_until=0)


@asynccontextmanager
async def open_sqlite(
    url: str, clock: Clock = wall_clock, busy_timeout: float = BUSY_TIMEOUT
) -> AsyncIterator[Writer]:
    """
    Yield the store behind *url*, migrated, until the block ends.

    Raises `errors.StoreInUse` if another process works on the file, and
    `errors.StoreUnavailable` if it can't be opened.
    """
    engine = open_engine(url, busy_timeout)
    with sole_user(url), ExitStack() as stack:
        stack.callback(engine.dispose)
        await asyncio.to_thread(_prepare, engine)
        writer = Writer(engine, clock)
        writer.start()
        try:
            yield writer
        finally:
            await writer.stop()


@contextmanager
def sole_user(url: str) -> Iterator[None]:
    """Hold the file's lock, or raise `errors.StoreInUse` if another process holds it."""
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


def _prepare(engine: Engine) -> None:
    """Migrate, and free what a process that was killed still held: nobody else can."""
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection)
            connection.execute(_FREE)
    except DBAPIError as exc:
        raise StoreUnavailable(str(exc.orig)) from exc
