"""
The worker: claims conversations that are due and sees each through, many at once.

A conversation is one coroutine while it is claimed, so that within it everything
happens in order: pieces that wait, then the events that wait, then their answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeAlias

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff
from ak_instagram.errors import LeaseLost, StoreUnavailable, Transient
from ak_instagram.sender.delivery import Delivery
from ak_instagram.settings.values import Conversation
from ak_instagram.store.store import Store
from ak_instagram.store.values import Blocker, Claim, EventStatus, PieceStatus, Settlement

from .answering import Answering
from .turn import turn_id

log = structlog.get_logger()

MOST_CLAIMS = 32  # in one transaction: webhooks wait for it too
PAUSE = 1.0  # seconds before the store is asked again after it refused

# A claim: account, contact, fence.
Holding: TypeAlias = tuple[str, str, int]


class Worker:
    """Keeps up to `conversation.concurrency` conversations going."""

    def __init__(
        self, store: Store, settings: Conversation, backoff: Backoff | None = None
    ) -> None:
        self._store = store
        self._settings = settings
        self._backoff = backoff or Backoff(settings.attempts)
        self._active: dict[Holding, asyncio.Task[None]] = {}
        metrics.TURNS_ACTIVE.set_function(lambda: len(self._active))
        self._freed = asyncio.Event()
        self._courtesies: set[asyncio.Task[None]] = set()
        self._idle: set[Holding] = set()

    def spawn(self, courtesy: Coroutine[Any, Any, None]) -> None:
        """Run *courtesy* without anybody waiting for it."""
        task = asyncio.create_task(courtesy)
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)

    # --- jobs -----------------------------------------------------------------

    async def claim(self, answering: Answering, delivery: Delivery) -> None:
        """Claim what is due and work on it; never return."""
        while True:
            try:
                await self._claim_once(answering, delivery)
            except Exception as exc:  # the loop outlives whatever it meets
                log.exception("worker.stumbled", reason=type(exc).__name__)
                await asyncio.sleep(PAUSE)

    async def renew(self) -> None:
        """Extend the leases of what is being worked on; never return."""
        while True:
            await asyncio.sleep(self._settings.lease / 3)
            try:
                await self._compare(await self._store.renew())
            except Exception as exc:  # the loop outlives whatever it meets
                log.exception("worker.renewal_failed", reason=type(exc).__name__)

    async def drain(self, seconds: float) -> None:
        """Wait for the conversations under way, at most *seconds*; then cut them off."""
        tasks = [*self._active.values(), *self._courtesies]
        if not tasks:
            return
        log.info("worker.draining", conversations=len(self._active))
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- claiming -------------------------------------------------------------

    async def _claim_once(self, answering: Answering, delivery: Delivery) -> None:
        room = self._settings.concurrency - len(self._active)
        if room <= 0:
            self._freed.clear()
            await self._freed.wait()
            return
        for claim in await self._store.claim(min(room, MOST_CLAIMS)):
            self._start(claim, answering, delivery)

    def _start(self, claim: Claim, answering: Answering, delivery: Delivery) -> None:
        holding = (claim.account, claim.contact, claim.fence)
        task = asyncio.create_task(self._see_through(claim, answering, delivery))
        self._active[holding] = task
        task.add_done_callback(lambda _: self._end(holding))

    def _end(self, holding: Holding) -> None:
        del self._active[holding]
        self._freed.set()

    async def _compare(self, held: set[Holding]) -> None:
        """Drop work whose lease is gone; let leases go that nobody has worked on for a while."""
        for holding in self._active.keys() - held:
            log.warning("conversation.lease_lost", contact=holding[1])
            self._active[holding].cancel()
        idle = held - self._active.keys()
        abandoned, self._idle = idle & self._idle, idle
        if abandoned:
            await self._store.abandon(abandoned)

    # --- one conversation -----------------------------------------------------

    async def _see_through(self, claim: Claim, answering: Answering, delivery: Delivery) -> None:
        """Take step after step until nothing is due or the conversation has to wait."""
        structlog.contextvars.bind_contextvars(account=claim.account, contact=claim.contact)
        step: Claim | None = claim
        while step is not None:
            step = await self._step(step, answering, delivery)

    async def _step(self, claim: Claim, answering: Answering, delivery: Delivery) -> Claim | None:
        try:
            if claim.piece is not None:
                return await delivery.deliver(claim, claim.piece)
            return await answering.answer(claim)
        except LeaseLost:
            log.warning("conversation.lease_lost")
        except StoreUnavailable as exc:
            log.warning("conversation.dropped", reason=str(exc))
        except Exception as exc:  # noqa: BLE001 - a bug must cost no other conversation
            await self._put_off(claim, exc)
        return None

    async def _put_off(self, claim: Claim, exc: Exception) -> None:
        """Try *claim* again later; give it up once it has crashed too often."""
        crashed = not isinstance(exc, Transient)
        if crashed:
            log.exception("conversation.crashed", tries=claim.attempts + 1)
        else:
            log.warning("conversation.put_off", reason=str(exc))
        try:
            if crashed and self._backoff.wait(claim.attempts + 1) is None:
                await self._bury(claim, f"bug: {type(exc).__name__}")
                return
            pause = self._backoff.pause(claim.attempts + 1)
            why = type(exc).__name__
            blocker = None if crashed else Blocker.OTHER
            # Whether its piece had been sent by then is not known here.
            sending = PieceStatus.SENDING
            await self._store.retry(claim, after=pause, why=why, piece=sending, blocker=blocker)
        except (LeaseLost, StoreUnavailable) as lost:
            log.warning("conversation.dropped", reason=str(lost))

    async def _bury(self, claim: Claim, reason: str) -> None:
        """Make *claim* a dead letter; what else waits in the conversation goes on later."""
        metrics.DEAD_LETTERS.labels("turn").inc()
        log.error("turn.dead_lettered", reason=reason)
        if claim.piece is not None:
            step = await self._store.give_up(claim, reason)
        else:
            dead = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
            step = await self._store.settle(claim, Settlement(turn_id(claim), dead, reason))
        if step is not None:
            await self._store.retry(step, after=0, why=reason, blocker=Blocker.OTHER)
