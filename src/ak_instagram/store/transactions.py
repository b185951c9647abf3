"""The seam to a database: work goes in, its result comes out once it is durable."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

# A verb with its arguments bound: it gets the connection and the time in UTC milliseconds.
Work: TypeAlias = Callable[[Connection, int], T]

# The time in UTC milliseconds.
Clock: TypeAlias = Callable[[], int]


def wall_clock() -> int:
    """Return the time in UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Transactions(Protocol):
    """A database that runs work in transactions."""

    async def run(self, work: Work[T]) -> T:
        """
        Return what *work* returns, after its transaction was committed.

        *work* may run more than once and share its transaction with others'. Raises
        what *work* raises, and `errors.StoreUnavailable` when the database refuses.
        """
        ...
