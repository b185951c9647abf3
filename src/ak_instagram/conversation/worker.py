"""
The worker: claims conversations that are due and sees each through, many at once.

A conversation is one coroutine while it is claimed, so that within it everything
happens in order: pieces that wait, then the events that wait, then their answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set
from typing import Protocol

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff
from ak_instagram.delivery.accounts import Accounts
from ak_instagram.errors import LeaseLost, StoreUnavailable, Transient
from ak_instagram.jobs import TaskSet, run_logged
from ak_instagram.settings.model import Account
from ak_instagram.store.database import WorkQueue
from ak_instagram.store.values import (
    Claim,
    EventStatus,
    LeaseId,
    PieceStatus,
    TurnResult,
    WaitReason,
)
from ak_instagram.store.verbs import steps

from .speaking import Delivers
from .turn import turn_id

log = structlog.get_logger()

RETRY_CLAIMING = 1.0  # seconds before the store is asked again after it refused
RENEWALS = 3  # of a lease while it lasts: two may fail before it is lost


class Answers(Protocol):
    """The step that asks the agent: `conversation.answering.Answering`."""

    async def answer(self, claim: Claim, account: Account | None) -> Claim | None:
        """Answer *claim*'s events and return the next step."""
        ...


class Worker:
    """
    Keeps up to *concurrency* conversations going, whose leases last *lease* seconds.

    *backoff* is for conversations that crash; *retry_claiming* is in seconds.
    """

    def __init__(
        self,
        store: WorkQueue,
        accounts: Accounts,
        answering: Answers,
        delivery: Delivers,
        tasks: TaskSet,
        *,
        concurrency: int = 500,
        lease: float = 30.0,
        backoff: Backoff,
        retry_claiming: float = RETRY_CLAIMING,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._answering = answering
        self._delivery = delivery
        self._tasks = tasks
        self._concurrency = concurrency
        self._lease = lease
        self._backoff = backoff
        self._retry_claiming = retry_claiming
        self._active: dict[LeaseId, asyncio.Task[None]] = {}
        metrics.TURNS_ACTIVE.set_function(lambda: len(self._active))
        self._freed = asyncio.Event()
        self._idle_renewals: dict[LeaseId, int] = {}

    # --- jobs -----------------------------------------------------------------

    async def run_claims(self) -> None:
        """Claim what is due and work on it; never return."""
        while True:
            try:
                await self.wait_for_claims()
            except Exception as exc:  # whatever it is, the next round may do
                log.exception("worker.claim_failed", reason=type(exc).__name__)
                await asyncio.sleep(self._retry_claiming)

    async def run_renewals(self) -> None:
        """Extend the leases of what is being worked on; never return."""
        while True:
            await asyncio.sleep(self._lease / RENEWALS)
            await run_logged(self.renew_leases(), failure="worker.renewal_failed")

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

    # --- claims and leases ----------------------------------------------------

    async def wait_for_claims(self) -> None:
        """Wait for room, then for conversations that are due, and begin with them."""
        room = self._concurrency - len(self._active)
        if room <= 0:
            self._freed.clear()
            await self._freed.wait()
            return
        # Waits until some are due. Meanwhile the store knows that there is *room*: what a webhook
        # makes due is claimed within the transaction that stores it, and handed over here.
        for claim in await self._store.claim(room):
            self._start(claim)

    def _start(self, claim: Claim) -> None:
        """Run *claim* in a task of its own; its end makes room for another."""
        lease_id = LeaseId(claim.account, claim.contact, claim.fence)

        def end(_task: asyncio.Task[None]) -> None:
            del self._active[lease_id]
            self._freed.set()

        task = self._active[lease_id] = asyncio.create_task(self.run(claim))
        task.add_done_callback(end)  # rather than in it: it may be cancelled before it begins

    async def renew_leases(self) -> None:
        """Extend all leases; cancel work whose lease is lost, release leases without work."""
        # What is claimed while the renewal runs need not be in what it returns.
        known = frozenset(self._active)
        held = await self._store.renew()
        for lease_id in (known - held) & self._active.keys():
            log.warning("conversation.lease_lost", contact=lease_id.contact)
            self._active[lease_id].cancel()
        await self._abandon_idle(held)

    async def _abandon_idle(self, held: Set[LeaseId]) -> None:
        """
        Let leases go that nobody has worked on for the length of a lease.

        A worker to which such a claim is handed over even later finds that the lease it
        began with has ended.
        """
        idle = held - self._active.keys()
        self._idle_renewals = {it: self._idle_renewals.get(it, 0) + 1 for it in idle}
        abandoned = {it for it, renewals in self._idle_renewals.items() if renewals > RENEWALS}
        if abandoned:
            await self._store.abandon(abandoned)

    # --- one conversation -----------------------------------------------------

    async def run(self, claim: Claim) -> None:
        """
        Take step after step until nothing is due or the conversation has to wait.

        Whatever happens stays in this conversation.
        """
        structlog.contextvars.bind_contextvars(account=claim.account, contact=claim.contact)
        step: Claim | None = claim
        try:
            account = self._accounts.find(claim.account)
            while step is not None:
                claim = step
                if claim.piece is not None:
                    step = await self._delivery.deliver(claim, claim.piece, account)
                else:
                    step = await self._answering.answer(claim, account)
        except LeaseLost:
            log.warning("conversation.lease_lost")
        except StoreUnavailable as exc:
            log.warning("conversation.dropped", reason=str(exc))
        except Exception as exc:  # noqa: BLE001 - a bug must cost no other conversation
            await self._retry_later(claim, exc)

    async def _retry_later(self, claim: Claim, exc: Exception) -> None:
        """Try *claim* again later; make it a dead letter once it has crashed too often."""
        failures, wait_reason, least = claim.failures + 1, None, 0.0
        try:
            if isinstance(exc, Transient):
                # Nobody can tell yet whose it is; that being told ends the wait.
                wait_reason, least = WaitReason.ACCOUNT, exc.retry_after or 0.0
                log.warning("conversation.retrying", reason=str(exc))
            else:
                log.exception("conversation.crashed", failures=failures)
                if self._backoff.wait_or_give_up(failures) is None:
                    await self._dead_letter(claim, f"bug: {type(exc).__name__}")
                    return
            await self._store.run(
                steps.retry,
                claim,
                after=max(self._backoff.wait(failures), least),
                why=type(exc).__name__,
                then=PieceStatus.SENDING,  # whether it had been sent by then is not known here
                wait_reason=wait_reason,
            )
        except (LeaseLost, StoreUnavailable) as lost:
            log.warning("conversation.dropped", reason=str(lost))

    async def _dead_letter(self, claim: Claim, reason: str) -> None:
        """Make *claim* a dead letter; what else waits in the conversation goes on later."""
        metrics.DEAD_LETTERS.labels("turn").inc()
        log.error("turn.dead_lettered", reason=reason, failures=claim.failures + 1)
        if claim.piece is not None:
            step = await self._store.run(steps.give_up, claim, reason)
        else:
            dead = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
            result = TurnResult(turn_id(claim), dead, reason)
            step = await self._store.run(steps.settle, claim, result)
        if step is not None:
            outcome_unknown = step.piece is not None and step.piece.outcome_unknown
            await self._store.run(
                steps.retry,
                step,
                after=0,
                why=reason,
                then=PieceStatus.SENDING if outcome_unknown else PieceStatus.PLANNED,
                wait_reason=WaitReason.OTHER,
            )
