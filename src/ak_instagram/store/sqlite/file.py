"""The file of the embedded store: how it is opened, and how it is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

from ak_instagram.errors import StoreUnavailable

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


def open_engine(url: str, busy_timeout: float = BUSY_TIMEOUT) -> Engine:
    """
    Return an engine on the file in *url*, made if it is not there.

    *busy_timeout* is how many seconds it waits for another program's lock.
    WAL with `synchronous=FULL`: a commit is on the disk when it returns
    (https://www.sqlite.org/pragma.html#pragma_synchronous).
    """
    _make_room(url)
    # The writer thread alone uses the connection, but another thread opens and closes it.
    engine = create_engine(url, connect_args={"timeout": busy_timeout, "check_same_thread": False})
    event.listen(engine, "connect", _configure)
    return engine


def _make_room(url: str) -> None:
    file = make_url(url).database
    if not file:
        return
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreUnavailable(f"the folder of {file} can't be made: {exc.strerror}") from exc


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None  # the driver shall not begin transactions by itself
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Write in the block, and commit at its end or roll back."""
    # On the driver: SQLAlchemy's bookkeeping costs more than the transaction.
    cursor = connection.connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        yield
        cursor.execute("COMMIT")
    except BaseException:
        if connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]  # connected
            cursor.execute("ROLLBACK")
        raise
    finally:
        cursor.close()
