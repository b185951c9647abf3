"""
Dispatch: due conversations are claimed for the worker, and it waits where nothing is due.

Claim on event: the transaction that stores a webhook's events may also claim what they make
due, on behalf of a worker that waits for work in this process. That saves each message a
transaction. The worker registers its room by waiting; the claims are offered to it after the
commit, and given back if it has found other work by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable
from ak_instagram.meta.events import Event

from .database import Database, Tx, WorkerIdentity
from .values import MAX_CLAIMS, Claim
from .verbs import claims, inbox, steps

POLL = 5.0  # seconds after which due conversations are looked for unasked
LOCKED = 100  # milliseconds until what another transaction has locked is looked for again


class Poll(NamedTuple):
    """The claims that a look for due work brought; *again_in* ms another is due, if ever."""

    claims: list[Claim]
    again_in: int | None = None


class Dispatcher:
    """
    Claims what is due for one worker, and waits for it where nothing is.

    *claim* and *until_due* are the verbs that it looks with.
    """

    def __init__(
        self,
        database: Database,
        worker: WorkerIdentity,
        *,
        claim: Callable[[Tx, int], list[Claim]] = steps.claim_due,
        until_due: Callable[[Tx], int | None] = claims.until_due,
    ) -> None:
        self._database = database
        self._worker = worker
        self._claim_due = claim
        self._until_due = until_due
        # Whether a webhook was stored since this was last set to false, and none refused since.
        self.took_write = False
        self._room = 0
        self._is_asked = False
        self._offered: list[Claim] = []
        # Whether something may be due that no look has seen.
        self._is_outdated = True
        self._wakeup = asyncio.Event()
        self._timer = WakeupTimer(self.wake)
        database.on_notify(self.wake)

    @property
    def room(self) -> int:
        """The number of conversations that the waiting worker could take, 0 if none waits."""
        return self._room

    def wake(self) -> None:
        """Look now: something may have become due unseen."""
        self._is_outdated = True
        self._wakeup.set()

    def look_in(self, milliseconds: int) -> None:
        """Look in so many *milliseconds*, if not before."""
        if milliseconds:
            self._timer.set(milliseconds / 1000)
        else:
            self.wake()

    # --- the webhook's side ---------------------------------------------------

    async def put(self, events: Sequence[Event]) -> None:
        """Store *events* in one transaction, which claims for the worker if it waits."""
        room = self._room
        self.took_write = False  # until it has
        fresh, poll = await self._database.run(
            partial(self._put_and_claim, events=events, room=room), urgent=True
        )
        self.took_write = fresh > 0
        metrics.EVENTS_STORED.inc(fresh)
        metrics.EVENTS_DUPLICATE.inc(len(events) - fresh)
        if not room:
            self.wake()  # a look that is under way may have been too early
        elif late := self.offer(poll):
            # Their events are stored, whatever becomes of this.
            with suppress(StoreUnavailable):
                lease_ids = [claim.lease_id for claim in late]
                await self._database.run(
                    lambda it, now: claims.abandon(Tx(it, now, self._worker), lease_ids),
                    urgent=True,
                )
                self.wake()

    def _put_and_claim(
        self, connection: Connection, now: int, events: Sequence[Event], room: int
    ) -> tuple[int, Poll]:
        """Store *events*, and claim what is due then if there is *room*; in one transaction."""
        tx = Tx(connection, now, self._worker)
        fresh = inbox.put(tx, events)
        poll = self.poll(tx, room) if fresh and room else Poll([])
        if fresh and len(poll.claims) >= min(room, MAX_CLAIMS):
            claims.notify(tx)  # there may be more than this process takes
        return fresh, poll

    def offer(self, poll: Poll) -> list[Claim]:
        """
        Give the claims of *poll* to the worker, or let it look again in time.

        Returns those that nobody takes: by now the worker may have found other work. It
        asks for more when it has room, and until then they would grow old here.
        """
        if not self._is_asked:
            self._is_outdated = True
            return poll.claims
        if poll.claims:
            self._offered += poll.claims
            self._room = 0
            self._wakeup.set()
        if poll.again_in is not None:
            self.look_in(poll.again_in)
        return []

    # --- the worker's side ----------------------------------------------------

    async def claim(self, limit: int) -> list[Claim]:
        """
        Wait for conversations that are due and take up to *limit* of them.

        No more than `values.MAX_CLAIMS` at a time; what is offered meanwhile comes on top.
        Returns none when nothing came up for a while. Call it from one task only.
        """
        self._is_asked = True
        found: list[Claim] = []
        try:
            if self._is_outdated and not self._offered:  # offered before a look was refused
                found = await self._look(limit)
            if not (found or self._is_outdated or self._offered):
                await self._wait(limit)
            offered, self._offered = self._offered, []
            return [*found, *offered]
        finally:
            self._is_asked = False

    def poll(self, tx: Tx, limit: int) -> Poll:
        """Claim up to *limit* conversations, and say when another look is worth it."""
        found = self._claim_due(tx, limit)
        if found and self._database.is_shared:
            # To ask what is due next takes longer here than to look again, and a webhook may
            # be waiting for this.
            return Poll(found, 0)
        again_in = self._until_due(tx)
        is_locked = again_in == 0 and self._database.is_shared
        return Poll(found, LOCKED if is_locked else again_in)

    async def _look(self, limit: int) -> list[Claim]:
        self._is_outdated = False
        try:
            poll = await self._database.run(
                lambda it, now: self.poll(Tx(it, now, self._worker), limit)
            )
        except BaseException:  # refused or cut off: it may have seen nothing
            self._is_outdated = True
            raise
        if poll.again_in is not None:
            self.look_in(poll.again_in)
        return poll.claims

    async def _wait(self, limit: int) -> None:
        """Wait for news, with room for *limit* conversations, for `POLL` seconds at most."""
        self._wakeup.clear()
        self._room = limit
        self._timer.set(POLL)
        try:
            await self._wakeup.wait()
        finally:
            self._room = 0


class WakeupTimer:
    """One timer that rings at the earliest moment asked for; it has to be set again after that."""

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
