"""The embedded store: one SQLite file, opened and locked for one process."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, update
from sqlalchemy.exc import DBAPIError

from ak_instagram.errors import StoreInUse, StoreUnavailable
from ak_instagram.store.database import Clock
from ak_instagram.store.schema import conversations

from .writer import Writer, wall_clock

BUSY_TIMEOUT = 2.0  # seconds to wait for another program's lock; Meta waits five for its answer
PAGE_SIZE = 2048  # bytes, in new files; each of many people's messages changes a page of its own
WAL_PAGES = 8000  # 16 MiB; moving them into the file stops the writer for a moment
CACHE_KIB = 65_536  # at most; in a large store each message is written to other pages

_PRAGMAS = (
    f"page_size = {PAGE_SIZE}",
    "journal_mode = WAL",
    "synchronous = FULL",
    f"wal_autocheckpoint = {WAL_PAGES}",
    f"cache_size = -{CACHE_KIB}",
)

_held = conversations.c.lease_owner.is_not(None)
_FREE = update(conversations).where(_held).values(lease_owner=None, lease_until=0)


def open_engine(url: str, busy_timeout: float = BUSY_TIMEOUT) -> Engine:
    """
    Return an engine on the file in *url*, made if it is not there.

    *busy_timeout* is how many seconds it waits for another program's lock.
    WAL with `synchronous=FULL`: a commit is on the disk when it returns
    (https://www.sqlite.org/pragma.html#pragma_synchronous).
    """
    if file := make_url(url).database:
        try:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise StoreUnavailable(f"the folder of {file} can't be made: {exc.strerror}") from exc
    # The writer thread alone uses the connection, but another thread opens and closes it.
    engine = create_engine(url, connect_args={"timeout": busy_timeout, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        connection.isolation_level = None  # the driver shall not begin transactions by itself
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


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
    try:
        lock = path.open("w")
    except OSError as exc:
        raise StoreUnavailable(f"{path} can't be written: {exc.strerror}") from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise StoreInUse(
                f"another ak-instagram works on {file}: stop it first, or give this one a"
                " file of its own in store.url (AK_STORE__URL)"
            ) from exc
        yield


def _prepare(engine: Engine) -> None:
    """Migrate, and free what a process that was killed still held: nobody else can."""
    # Here and not above: Alembic takes a tenth of a second, and commands only open the file.
    from ak_instagram.store.migrations import migrate

    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection)
            connection.execute(_FREE)
    except DBAPIError as exc:
        raise StoreUnavailable(str(exc.orig)) from exc
