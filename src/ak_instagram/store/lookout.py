"""How a worker that waits for work gets it: handed over as it comes in, or looked for."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from .alarm import Alarm
from .leases import Leases
from .transactions import Transactions
from .values import Claim

POLL = 5.0  # seconds after which due conversations are looked for unasked


class Found(NamedTuple):
    """What a look for work brought: claims, or in how many milliseconds some may be due."""

    claims: list[Claim]
    wait: int | None = None


class Lookout:
    """Claims what is due, and waits for it where nothing is."""

    def __init__(self, transactions: Transactions, leases: Leases) -> None:
        self._run = transactions.run
        self._leases = leases
        self._room = 0
        self._is_asked = False
        self._handed_over: list[Claim] = []
        self._news = asyncio.Event()
        self._alarm = Alarm(self.wake)
        transactions.on_work(self.wake)

    @property
    def room(self) -> int:
        """How many conversations the worker that waits could take, 0 if none waits."""
        return self._room

    def wake(self) -> None:
        """Look now: something may have become due unseen."""
        self._news.set()

    def wake_in(self, seconds: float) -> None:
        """Look in *seconds*, if not before."""
        self._alarm.set(seconds)

    def look(self, connection: Connection, now: int, limit: int) -> Found:
        """Claim up to *limit* conversations, or say when that is worth another look."""
        claims = self._leases.claim(connection, now, limit)
        return Found(claims, None if claims else self._leases.until_due(connection, now))

    def hand_over(self, found: Found) -> list[Claim]:
        """
        Give what was *found* to the worker, or let it look again in time.

        Returns the claims that nobody takes: by now the worker may have found other work.
        It asks for more when it has room, and until then they would grow old here.
        """
        if not self._is_asked:
            return found.claims
        if found.claims:
            self._handed_over += found.claims
            self._room = 0
            self.wake()
        elif found.wait is not None:
            self.wake_in(found.wait / 1000)
        return []

    async def claim(self, limit: int) -> list[Claim]:
        """
        Wait for conversations that are due and take up to *limit* of them.

        What is handed over meanwhile comes on top. Returns none when nothing came up for
        a while. Call it from one task only.
        """
        self._is_asked = True
        try:
            return [*await self._find(limit), *self._take()]
        finally:
            self._is_asked = False

    async def _find(self, limit: int) -> list[Claim]:
        """Look once; wait for news if there is nothing."""
        if self._handed_over:  # before a look that the store refused
            return []
        self._news.clear()
        found = await self._run(partial(self.look, limit=limit))
        if not found.claims and not self._news.is_set():
            await self._wait(limit, found.wait)
        return found.claims

    async def _wait(self, limit: int, milliseconds: int | None) -> None:
        """Wait for news, with room for *limit* conversations, so long at most."""
        self._room = limit
        self.wake_in(POLL if milliseconds is None else min(milliseconds / 1000, POLL))
        try:
            await self._news.wait()
        finally:
            self._room = 0

    def _take(self) -> list[Claim]:
        taken, self._handed_over = self._handed_over, []
        return taken
