"""The seam to a database: work goes in, its result comes out once it is durable."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection, text

T = TypeVar("T")

CHANNEL = "ak_instagram"

# A verb with its arguments bound: it gets the connection and the time in UTC milliseconds.
Work: TypeAlias = Callable[[Connection, int], T]

# The time in UTC milliseconds.
Clock: TypeAlias = Callable[[], int]


def wall_clock() -> int:
    """Return the time in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def notify(connection: Connection) -> None:
    """Tell other replicas, once this transaction is committed, that there is work."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


class Database(Protocol):
    """A database that runs work in transactions."""

    @property
    def clock(self) -> Clock:
        """The database's time, as far as it is known here."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether other processes work on the database as well."""
        ...

    def on_work(self, wake: Callable[[], None]) -> None:
        """Call *wake* whenever another process has stored work that it can't do itself."""
        ...

    async def run(self, work: Work[T], *, urgent: bool = False) -> T:
        """
        Return what *work* returns, after its transaction was committed.

        *urgent* is what Meta waits for: it does not queue up behind other work.
        *work* may run more than once and share its transaction with others'. Raises
        what *work* raises, and `errors.StoreUnavailable` when the database refuses.
        """
        ...
