"""
The worker: claims conversations that are due and sees each through, many at once.

A conversation is one coroutine while it is claimed, so that within it everything
happens in order: pieces that wait, then the events that wait, then their answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff
from ak_instagram.delivery.delivery import Delivery
from ak_instagram.errors import LeaseLost, StoreUnavailable, Transient
from ak_instagram.jobs import TaskSet, run_logged
from ak_instagram.settings.model import ConversationSettings
from ak_instagram.store.store import Store
from ak_instagram.store.values import (
    Claim,
    EventStatus,
    LeaseId,
    PieceStatus,
    TurnResult,
    WaitReason,
)

from .answering import Answering
from .turn import turn_id

log = structlog.get_logger()

RETRY_CLAIMING = 1.0  # seconds before the store is asked again after it refused
RENEWALS = 3  # of a lease while it lasts: two may fail before it is lost


class Worker:
    """Keeps up to `conversation.concurrency` conversations going."""

    def __init__(
        self,
        store: Store,
        settings: ConversationSettings,
        answering: Answering,
        delivery: Delivery,
        tasks: TaskSet,
        *,
        backoff: Backoff | None = None,
        retry_claiming: float = RETRY_CLAIMING,
    ) -> None:
        self._store = store
        self._settings = settings
        self._answering = answering
        self._delivery = delivery
        self._tasks = tasks
        self._backoff = backoff or Backoff(settings.attempts)
        self._retry_claiming = retry_claiming
        self._active: dict[LeaseId, asyncio.Task[None]] = {}
        metrics.TURNS_ACTIVE.set_function(lambda: len(self._active))
        self._freed = asyncio.Event()
        self._idle: dict[LeaseId, int] = {}

    # --- jobs -----------------------------------------------------------------

    async def run_claims(self) -> None:
        """Claim what is due and work on it; never return."""
        while True:
            if not await run_logged(self._claim(), failure="worker.claim_failed"):
                await asyncio.sleep(self._retry_claiming)

    async def run_renewals(self) -> None:
        """Extend the leases of what is being worked on; never return."""
        while True:
            await asyncio.sleep(self._settings.lease / RENEWALS)
            await run_logged(self._renew(), failure="worker.renewal_failed")

    async def drain(self, seconds: float) -> None:
        """Wait for the conversations under way, at most *seconds*; then cut them off."""
        tasks = [*self._active.values(), *self._tasks.tasks]
        if not tasks:
            return
        log.info("worker.draining", conversations=len(self._active))
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- claiming -------------------------------------------------------------

    async def _claim(self) -> None:
        """Wait for room, then for conversations that are due, and begin with them."""
        room = self._settings.concurrency - len(self._active)
        if room <= 0:
            self._freed.clear()
            await self._freed.wait()
            return
        for claim in await self._store.claim(room):
            self._start(claim)

    def _start(self, claim: Claim) -> None:
        lease_id = claim.lease_id
        task = asyncio.create_task(self._see_through(claim))
        self._active[lease_id] = task
        task.add_done_callback(lambda _: self._end(lease_id))

    def _end(self, lease_id: LeaseId) -> None:
        del self._active[lease_id]
        self._freed.set()

    async def _renew(self) -> None:
        # What is claimed while the renewal runs need not be in what it returns.
        known = frozenset(self._active)
        held = await self._store.renew()
        self._cut_off(known - held)
        await self._abandon_idle(held)

    def _cut_off(self, lost: Set[LeaseId]) -> None:
        """Drop the work whose lease is gone."""
        for lease_id in lost & self._active.keys():
            log.warning("conversation.lease_lost", contact=lease_id.contact)
            self._active[lease_id].cancel()

    async def _abandon_idle(self, held: Set[LeaseId]) -> None:
        """
        Let leases go that nobody has worked on for the length of a lease.

        A claim that turns up even later finds that the lease it began with is over.
        """
        idle = held - self._active.keys()
        self._idle = {lease_id: self._idle.get(lease_id, 0) + 1 for lease_id in idle}
        abandoned = {lease_id for lease_id, times in self._idle.items() if times > RENEWALS}
        if abandoned:
            await self._store.abandon(abandoned)

    # --- one conversation -----------------------------------------------------

    async def _see_through(self, claim: Claim) -> None:
        """Take step after step until nothing is due or the conversation has to wait."""
        structlog.contextvars.bind_contextvars(account=claim.account, contact=claim.contact)
        step: Claim | None = claim
        while step is not None:
            step = await self._take(step)

    async def _take(self, step: Claim) -> Claim | None:
        """Take *step* and return the next; whatever happens stays in this conversation."""
        try:
            if step.piece is not None:
                return await self._delivery.deliver(step, step.piece)
            return await self._answering.answer(step)
        except LeaseLost:
            log.warning("conversation.lease_lost")
        except StoreUnavailable as exc:
            log.warning("conversation.dropped", reason=str(exc))
        except Exception as exc:  # noqa: BLE001 - a bug must cost no other conversation
            await self._put_off(step, exc)
        return None

    async def _put_off(self, claim: Claim, exc: Exception) -> None:
        """Try *claim* again later; give it up once it has crashed too often."""
        try:
            if isinstance(exc, Transient):
                log.warning("conversation.retrying", reason=str(exc))
                await self._retry(claim, exc, WaitReason.OTHER)
                return
            log.exception("conversation.crashed", tries=claim.failures + 1)
            if self._backoff.wait_or_give_up(claim.failures + 1) is None:
                await self._bury(claim, f"bug: {type(exc).__name__}")
            else:
                await self._retry(claim, exc)
        except (LeaseLost, StoreUnavailable) as lost:
            log.warning("conversation.dropped", reason=str(lost))

    async def _retry(
        self, claim: Claim, exc: Exception, wait_reason: WaitReason | None = None
    ) -> None:
        await self._store.retry(
            claim,
            after=self._backoff.wait(claim.failures + 1),
            why=type(exc).__name__,
            then=PieceStatus.SENDING,  # whether it had been sent by then is not known here
            wait_reason=wait_reason,
        )

    async def _bury(self, claim: Claim, reason: str) -> None:
        """Make *claim* a dead letter; what else waits in the conversation goes on later."""
        metrics.DEAD_LETTERS.labels("turn").inc()
        log.error("turn.dead_lettered", reason=reason)
        if claim.piece is not None:
            step = await self._store.give_up(claim, reason)
        else:
            dead = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
            step = await self._store.settle(claim, TurnResult(turn_id(claim), dead, reason))
        if step is not None:
            outcome_unknown = step.piece is not None and step.piece.outcome_unknown
            await self._store.retry(
                step,
                after=0,
                why=reason,
                then=PieceStatus.SENDING if outcome_unknown else PieceStatus.PLANNED,
                wait_reason=WaitReason.OTHER,
            )
