"""The journal: all that happens, in order, to be waited for and watched."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from itertools import islice

from .values import Json

# How far a watcher may fall behind before it has to start anew.
_BACKLOG = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; *seq* counts from 1 without gaps."""

    seq: int
    kind: str
    data: Json


class Journal:
    """
    The newest *keep* entries, and the readers that wait for the next ones.

    *epoch* tells the journal of this run from the one of the run before.
    """

    def __init__(self, keep: int = 5_000) -> None:
        self.epoch = secrets.token_hex(4)
        self.seq = 0
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._followers: set[asyncio.Queue[Entry | None]] = set()
        self._waiting: dict[asyncio.Future[Entry], Callable[[Entry], bool]] = {}

    def write(self, kind: str, **data: object) -> Entry:
        """Note that something happened and wake the readers that it concerns."""
        self.seq += 1
        entry = Entry(self.seq, kind, data)
        self._entries.append(entry)
        for queue in tuple(self._followers):
            if queue.full():
                self._dismiss(queue)
            else:
                queue.put_nowait(entry)
        for future, matches in tuple(self._waiting.items()):
            if not future.done() and matches(entry):
                future.set_result(entry)
        return entry

    def since(self, seq: int) -> tuple[Entry, ...] | None:
        """Return what happened after *seq*, or `None` if part of it is forgotten."""
        first = self._entries[0].seq if self._entries else self.seq + 1
        if not first - 1 <= seq <= self.seq:
            return None
        return tuple(islice(self._entries, seq + 1 - first, None))

    def known(self) -> tuple[Entry, ...]:
        """Return everything that is not forgotten, oldest first."""
        return tuple(self._entries)

    async def wait(
        self, matches: Callable[[Entry], bool], *, after: int | None = None, within: float = 10.0
    ) -> Entry:
        """
        Return the first entry after *after* (now, if not told) that *matches*.

        Raise `TimeoutError` when none came *within* so many seconds.
        """
        for entry in self.since(self.seq if after is None else after) or ():
            if matches(entry):
                return entry
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = matches
        try:
            return await asyncio.wait_for(future, within)
        finally:
            del self._waiting[future]

    async def until(self, condition: Callable[[], bool], *, within: float = 10.0) -> None:
        """Return once *condition* holds; it is asked anew whenever something happens."""
        if not condition():
            await self.wait(lambda _: condition(), within=within)

    async def follow(self, after: int | None = None) -> AsyncGenerator[Entry, None]:
        """
        Yield entries as they come, first those since *after* that are still known.

        The end means that the journal was closed or that the reader was too slow.
        """
        queue: asyncio.Queue[Entry | None] = asyncio.Queue(_BACKLOG)
        self._followers.add(queue)
        try:
            for entry in self.since(self.seq if after is None else after) or ():
                yield entry
            while (following := await queue.get()) is not None:
                yield following
        finally:
            self._followers.discard(queue)

    def close(self) -> None:
        """End all streams."""
        for queue in tuple(self._followers):
            self._dismiss(queue)

    def _dismiss(self, queue: asyncio.Queue[Entry | None]) -> None:
        """End one stream; a full queue loses its oldest entry to the end mark."""
        self._followers.discard(queue)
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(None)
