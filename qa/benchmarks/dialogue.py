"""
People who write again once they were answered: a closed loop over whole turns.

It runs in the peers' process, which knows at once when a piece has come.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qa.benchmarks.connection import Connection, connect
from qa.benchmarks.journal import Journal
from qa.benchmarks.webhooks import Messages, prepared

PATIENCE = 10.0  # seconds for the last answers


@dataclass(frozen=True, slots=True)
class Dialogue:
    """
    *unanswered* of the *messages* are under way at any time, posted to *ports* in turn.

    What is answered in the first *warm_up* seconds does not count.
    """

    ports: Sequence[int]
    messages: Messages
    unanswered: int
    warm_up: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Held:
    """What came of a dialogue: how often each person wrote, and what was answered a second."""

    posted: Mapping[str, int]
    rate: float


async def hold(dialogue: Dialogue, journal: Journal) -> Held:
    """
    Return what came of *dialogue*; everything that was posted has been answered.

    Raises `TimeoutError` if an answer does not come, `RuntimeError` if a webhook is refused.
    """
    requests = prepared(dialogue.messages)
    connections = [
        await connect(dialogue.ports[number % len(dialogue.ports)])
        for number in range(dialogue.unanswered)
    ]
    holding = _Holding(dialogue, journal, requests)
    async with asyncio.timeout(dialogue.warm_up + dialogue.seconds + PATIENCE):
        await asyncio.gather(*(holding.keep_writing(connection) for connection in connections))
    for connection in connections:
        connection.close()
    return holding.result()


class _Holding:
    """What the connections share: the next message, and what was counted."""

    def __init__(self, dialogue: Dialogue, journal: Journal, requests: Sequence[bytes]) -> None:
        self._dialogue = dialogue
        self._journal = journal
        self._next: Iterator[tuple[int, bytes]] = iter(enumerate(requests))
        self._posted: Counter[str] = Counter()
        self._answered = 0
        self._counts_from = time.perf_counter() + dialogue.warm_up
        self._ends = self._counts_from + dialogue.seconds

    async def keep_writing(self, connection: Connection) -> None:
        """Post a message once the one before was answered, until the time is over."""
        while time.perf_counter() < self._ends:
            index, request = next(self._next)
            who = self._dialogue.messages.contact(index)
            self._posted[who] += 1
            piece = self._journal.next_piece(who)
            status, _ = await connection.post(request)
            if status != 200:
                raise RuntimeError(f"a webhook was answered {status}")
            await piece
            self._answered += self._counts_from <= time.perf_counter() <= self._ends

    def result(self) -> Held:
        """Return what came of it, now that all is answered."""
        return Held(self._posted, self._answered / self._dialogue.seconds)
