"""
Webhooks are posted: in a closed loop or at a fixed rate.

Closed: each connection posts again as soon as it was answered. At a rate: posts are due
whatever the answers do, and latency counts from when a post was due, so that a server
that stalls is charged for those that had to wait meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from qa.benchmarks.connection import Connection, connect
from qa.benchmarks.webhooks import Messages

PATIENCE = 10.0  # seconds for the last answers


@dataclass(frozen=True, slots=True)
class Load:
    """
    How *messages* are posted to *port*; it ends with them, or when the seconds are over.

    What was due in the first *warm_up* seconds does not count. *rate* is a second's posts;
    without it the loop is closed. *pause* is what a connection waits after an answer.
    """

    port: int
    messages: Messages
    connections: int = 64
    warm_up: float = 0.0
    seconds: float = 60.0
    rate: float | None = None
    pause: float = 0.0


@dataclass(slots=True)
class Run:
    """
    What came of a load; times are `time.perf_counter`'s.

    *posted* has the time of each post by the message's index, *accepted* the messages
    that were answered 200, *failed* the number of the others. *latencies* are in seconds,
    *rate* is what was accepted a second.
    """

    posted: dict[int, float] = field(default_factory=dict)
    accepted: list[int] = field(default_factory=list)
    failed: int = 0
    latencies: list[float] = field(default_factory=list)
    rate: float = 0.0


async def post(load: Load, requests: Sequence[bytes]) -> Run:
    """Post *requests* as *load* says, and return what came of it."""
    connections = [await connect(load.port) for _ in range(load.connections)]
    posting = _Posting(load, requests)
    async with asyncio.timeout(load.warm_up + load.seconds + PATIENCE):
        await asyncio.gather(*(posting.keep_posting(connection) for connection in connections))
    for connection in connections:
        connection.close()
    return posting.result()


class _Posting:
    """What the connections share: the next request, and the results."""

    def __init__(self, load: Load, requests: Sequence[bytes]) -> None:
        self._load = load
        self._requests = requests
        self._next = 0
        self._run = Run()
        self._counted = 0
        self._began = self._last = time.perf_counter()
        self._counts_from = self._began + load.warm_up
        self._ends = self._counts_from + load.seconds

    async def keep_posting(self, connection: Connection) -> None:
        """Post one request after another until there are no more, or the connection breaks."""
        try:
            while self._next < len(self._requests) and time.perf_counter() < self._ends:
                await self._post_next(connection)
                if self._load.pause:
                    await asyncio.sleep(self._load.pause)
        except OSError:
            self._run.failed += 1

    def result(self) -> Run:
        """Return what came of it, now that all is answered."""
        self._run.rate = self._counted / (min(self._last, self._ends) - self._counts_from)
        return self._run

    async def _post_next(self, connection: Connection) -> None:
        index = self._next
        self._next += 1
        due = await self._until_due(index)
        posted = self._run.posted[index] = time.perf_counter()
        status, answered = await connection.post(self._requests[index])
        self._note(index, status, min(due, posted), answered)

    async def _until_due(self, index: int) -> float:
        """Return when message *index* is due, but not before."""
        now = time.perf_counter()
        if self._load.rate is None:
            return now
        due = self._began + index / self._load.rate
        if due > now:
            await asyncio.sleep(due - now)
        return due

    def _note(self, index: int, status: int, since: float, answered: float) -> None:
        self._last = answered
        if status != 200:
            self._run.failed += 1
            return
        self._run.accepted.append(index)
        self._counted += self._counts_from <= answered <= self._ends
        if self._counts_from <= since:
            self._run.latencies.append(answered - since)
