"""How a worker that waits for work gets it: handed over as it comes in, or looked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from ak_instagram.store.verbs.claims import Leases

from .database import Database
from .values import Claim

POLL = 5.0  # seconds after which due conversations are looked for unasked
LOCKED = 100  # milliseconds until what another transaction has locked is looked for again


class Poll(NamedTuple):
    """What a look for work brought: claims, and in how many milliseconds to look again, if ever."""

    claims: list[Claim]
    wait: int | None = None


class Dispatcher:
    """Claims what is due, and waits for it where nothing is."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._run = database.run
        self._is_shared = database.is_shared
        self._leases = leases
        self._room = 0
        self._is_asked = False
        self._handed_over: list[Claim] = []
        # Whether something may be due that no look has seen.
        self._is_outdated = True
        self._stir = asyncio.Event()
        self._timer = WakeupTimer(self.wake)
        database.on_work(self.wake)

    @property
    def room(self) -> int:
        """How many conversations the worker that waits could take, 0 if none waits."""
        return self._room

    def wake(self) -> None:
        """Look now: something may have become due unseen."""
        self._is_outdated = True
        self._stir.set()

    def wake_in(self, seconds: float) -> None:
        """Look in *seconds*, if not before."""
        self._timer.set(seconds)

    def look(self, connection: Connection, now: int, limit: int) -> Poll:
        """Claim up to *limit* conversations, and say when that is worth another look."""
        claims = self._leases.claim(connection, now, limit)
        if claims and self._is_shared:
            # To ask what is due next takes longer here than to look again, and this may be
            # what a webhook waits for.
            return Poll(claims, 0)
        wait = self._leases.until_due(connection, now)
        is_locked = wait == 0 and self._is_shared
        return Poll(claims, LOCKED if is_locked else wait)

    def offer(self, found: Poll) -> list[Claim]:
        """
        Give what was *found* to the worker, or let it look again in time.

        Returns the claims that nobody takes: by now the worker may have found other work.
        It asks for more when it has room, and until then they would grow old here.
        """
        if not self._is_asked:
            self._is_outdated = True
            return found.claims
        if found.claims:
            self._handed_over += found.claims
            self._room = 0
            self._stir.set()
        self._look_again_in(found.wait)
        return []

    async def claim(self, limit: int) -> list[Claim]:
        """
        Wait for conversations that are due and take up to *limit* of them.

        No more than `values.MAX_CLAIMS` at a time; what is handed over meanwhile comes on
        top. Returns none when nothing came up for a while. Call it from one task only.
        """
        self._is_asked = True
        try:
            return [*await self._find(limit), *self._take()]
        finally:
            self._is_asked = False

    async def _find(self, limit: int) -> list[Claim]:
        """Look if there may be something; wait for news if there is nothing."""
        if self._handed_over:  # before a look that the store refused
            return []
        if self._is_outdated:
            claims = await self._look(limit)
            if claims:
                return claims
        if not (self._is_outdated or self._handed_over):
            await self._wait(limit)
        return []

    async def _look(self, limit: int) -> list[Claim]:
        self._is_outdated = False
        try:
            found = await self._run(partial(self.look, limit=limit))
        except BaseException:  # refused or cut off: it may have seen nothing
            self._is_outdated = True
            raise
        self._look_again_in(found.wait)
        return found.claims

    def _look_again_in(self, milliseconds: int | None) -> None:
        if milliseconds == 0:
            self.wake()
        elif milliseconds is not None:
            self.wake_in(milliseconds / 1000)

    async def _wait(self, limit: int) -> None:
        """Wait for news, with room for *limit* conversations, so long at most."""
        self._stir.clear()
        self._room = limit
        self.wake_in(POLL)
        try:
            await self._stir.wait()
        finally:
            self._room = 0

    def _take(self) -> list[Claim]:
        taken, self._handed_over = self._handed_over, []
        return taken


class WakeupTimer:
    """Calls *ring* at the earliest moment asked for; whoever wants a later one asks again."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._handle: asyncio.Handle | None = None
        self._at = 0.0

    def set(self, seconds: float) -> None:
        """Ring in *seconds*, unless it is to ring before that anyway."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._handle is not None:
            if self._at <= at:
                return
            self._handle.cancel()
        self._handle, self._at = loop.call_at(at, self.fire), at

    def fire(self) -> None:
        """Ring now."""
        # Forgotten first: uvloop's timers may go off before their time has quite come.
        self._handle = None
        self._ring()
