"""The time that all replicas go by: the database server's."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CLOCK_AGE = 30.0  # seconds after which the server's time is asked for again
CLOCK_DOUBT = 0.5  # seconds that asking may take; a process that was stopped meanwhile asks again
CLOCK_TRIES = 3


class ServerClock:
    """
    The database's time, on this machine's steady clock between two looks at it.

    Replicas so agree on when a lease ends, whatever their own clocks show.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._seen_at = 0.0
        self._server_time = 0.0

    def __call__(self) -> int:
        """Return the server's time in UTC milliseconds."""
        return int(self._server_time + (self._steady() - self._seen_at) * 1000)

    @property
    def is_stale(self) -> bool:
        """Whether it has to be set (again)."""
        return not self._server_time or self._steady() - self._seen_at > CLOCK_AGE

    async def read(self, connection: AsyncConnection) -> None:
        """
        Set it by the server's; it is off by half of what asking took, at most.

        Raises `TimeoutError` if that is too long each time.
        """
        for _ in range(CLOCK_TRIES):
            before = self._steady()
            answer = await connection.execute(
                text("SELECT extract(epoch FROM clock_timestamp()) * 1000")
            )
            after = self._steady()
            if after - before <= CLOCK_DOUBT:
                self._seen_at = (before + after) / 2
                self._server_time = float(answer.scalar_one())
                return
        raise TimeoutError("the server takes too long to tell the time")
