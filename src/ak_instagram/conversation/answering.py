"""Answering: a turn goes to the agent, and the parts that come back become a planned answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from ak_instagram import metrics
from ak_instagram.agents.agent import Agent, Part, Text, Turn, prompt
from ak_instagram.agents.answers import ask
from ak_instagram.backoff import Backoff
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.typing import TypingIndicator
from ak_instagram.errors import Deferred, Permanent, Transient
from ak_instagram.reply.plan import Plan, plan_answer, takes_long
from ak_instagram.reply.rich import said_in
from ak_instagram.settings.model import Account
from ak_instagram.store.database import Transactions
from ak_instagram.store.values import (
    Claim,
    EventStatus,
    FailedCall,
    TranscriptLine,
    TurnResult,
    WaitReason,
)
from ak_instagram.store.verbs import steps
from ak_instagram.text import sanitize

from .turn import TurnDraft, compose, without_quotes

log = structlog.get_logger()

Spawn = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Answering:
    """
    Sees a claim's events through to a planned answer, another attempt, or a dead letter.

    An answer has at most *max_answer* bytes and takes at most *timeout* seconds.
    *fallback* is what a person gets when the agent has failed for good; empty is
    silence. *spawn* runs what nobody waits for.
    """

    store: Transactions
    agent: Agent
    circuit_breaker: CircuitBreaker
    typing_indicator: TypingIndicator
    backoff: Backoff
    max_answer: int
    timeout: float
    fallback: str
    spawn: Spawn

    async def answer(self, claim: Claim, account: Account | None) -> Claim | None:
        """
        Answer *claim*'s events, and return the next step (`None`: the claim has ended).

        Without an *account* they are ignored.
        """
        draft = compose(claim, account.agent if account else None)
        if account is None or draft.turn is None:
            reason = "nothing to answer" if account else "the account is not configured"
            metrics.TURNS.labels("ignored").inc()
            log.info("turn.ignored", reason=reason, events=len(claim.events))
            return await self._settle(claim, draft, EventStatus.IGNORED, Plan(), reason)
        if wait := self.circuit_breaker.open_for(claim.account, claim.contact):
            # What is answered later is answered once, to all that has been said by then.
            await self.store.run(
                steps.retry,
                claim,
                after=wait,
                why="the account is stopped",
                wait_reason=WaitReason.ACCOUNT,
            )
            return None
        with structlog.contextvars.bound_contextvars(turn=draft.turn.id):
            return await self._answer(claim, draft, draft.turn, account)

    async def _answer(
        self, claim: Claim, draft: TurnDraft, turn: Turn, account: Account
    ) -> Claim | None:
        began = time.perf_counter()
        try:
            async with self.typing_indicator.typing(account.access_token, claim.contact):
                parts = await ask(self.agent, turn, self.max_answer, self.timeout)
            if takes_long(parts):
                plan = await asyncio.to_thread(plan_answer, parts, turn.messages[-1].mid)
            else:
                plan = plan_answer(parts, turn.messages[-1].mid)
        except Deferred as exc:
            step = await self.store.run(steps.defer, claim, exc.seconds)
            metrics.TURNS.labels("deferred").inc()
            log.info("turn.deferred", seconds=exc.seconds)
            return self._end_typing(step, claim, account)
        except Permanent as exc:
            step = await self._dead_letter(claim, draft, str(exc), began)
            return self._end_typing(step, claim, account)
        except Transient as exc:
            step = await self._try_again(claim, draft, exc, began)
            return self._end_typing(step, claim, account)
        except Exception as exc:  # a bug in an adapter: it must not stop the conversation
            log.exception("turn.crashed")
            bug = Transient(f"bug: {type(exc).__name__}")
            step = await self._try_again(claim, draft, bug, began)
            return self._end_typing(step, claim, account)
        seconds = time.perf_counter() - began
        # An agent that keeps its own memory needs no transcript.
        lines = _transcript_lines(turn, parts, plan) if self.agent.history else ()
        step = await self._settle(claim, draft, EventStatus.ANSWERED, plan, lines=lines)
        _log_answer(turn, plan, seconds)
        return self._end_typing(step, claim, account)

    def _end_typing(self, step: Claim | None, claim: Claim, account: Account) -> Claim | None:
        """Return the next *step*; unless it is a piece, nothing else takes the indicator away."""
        if step is None or step.piece is None:
            self.spawn(self.typing_indicator.stop(account.access_token, claim.contact))
        return step

    async def _try_again(
        self, claim: Claim, draft: TurnDraft, exc: Transient, began: float
    ) -> Claim | None:
        failures = claim.failures + 1
        wait = self.backoff.wait_or_give_up(failures)
        if wait is None or (exc.attempts is not None and failures >= exc.attempts):
            return await self._dead_letter(claim, draft, f"gave up: {exc}", began)
        after = max(wait, exc.retry_after or 0.0)
        metrics.TURNS.labels("retried").inc()
        log.warning("turn.retrying", after=round(after, 1), failures=failures, reason=str(exc))
        failed = _failed_call(claim, "retried", str(exc), began)
        await self.store.run(steps.retry, claim, after=after, why=str(exc), failed=failed)
        return None

    async def _dead_letter(
        self, claim: Claim, draft: TurnDraft, reason: str, began: float
    ) -> Claim | None:
        metrics.TURNS.labels("dead").inc()
        metrics.DEAD_LETTERS.labels("turn").inc()
        reason = sanitize(reason)  # a plug-in may have put anything there
        log.error("turn.dead_lettered", reason=reason, failures=claim.failures + 1)
        plan = plan_answer([Text(sanitize(self.fallback))] if self.fallback else [])
        failed = _failed_call(claim, "dead", reason, began)
        return await self._settle(claim, draft, EventStatus.DEAD, plan, reason, failed=failed)

    async def _settle(
        self,
        claim: Claim,
        draft: TurnDraft,
        status: EventStatus,
        plan: Plan,
        reason: str | None = None,
        lines: tuple[TranscriptLine, ...] = (),
        failed: FailedCall | None = None,
    ) -> Claim | None:
        turn_result = TurnResult(
            turn=draft.turn_id,
            events={**draft.other_statuses, **dict.fromkeys(draft.answered_ids, status)},
            reason=reason,
            messages=plan.messages,
            lines=lines,
            hands_over=plan.handoff is not None,
            failed=failed,
        )
        return await self.store.run(steps.settle, claim, turn_result)


def _failed_call(claim: Claim, outcome: str, reason: str, began: float) -> FailedCall:
    """Return the agent's call about *claim* that *began* then and failed, for the trail."""
    ms = round((time.perf_counter() - began) * 1000)
    return FailedCall("agent", claim.failures + 1, ms, outcome, sanitize(reason))


def _transcript_lines(turn: Turn, parts: list[Part], plan: Plan) -> tuple[TranscriptLine, ...]:
    """Return what was said in *turn*; what the agent said only if any of it is sent."""
    # A quote is another message's text: it goes when that is taken back, and so is not kept here.
    asked = TranscriptLine("user", prompt(without_quotes(turn)))
    words = (
        it.text if isinstance(it, Text) else f"\n{rich}\n" if (rich := said_in(it)) else "\n"
        for it in parts
    )
    said = "".join(words).strip()
    return (asked, TranscriptLine("assistant", said)) if said and plan.messages else (asked,)


def _log_answer(turn: Turn, plan: Plan, seconds: float) -> None:
    """Count the turn and log it in one line; say what of the answer can't be sent."""
    outcome = "answered" if plan.messages else "silent"
    metrics.TURNS.labels(outcome).inc()
    metrics.TURN_SECONDS.observe(seconds)
    log.info(
        "turn.answered",
        outcome=outcome,
        messages=len(turn.messages),
        pieces=len(plan.messages),
        empty=not plan.messages and plan.is_empty,
        ms=round(seconds * 1000, 1),
    )
    for part, reason in plan.refused:
        metrics.PARTS_REFUSED.labels(part).inc()
        log.warning("part.refused", part=part, reason=reason)
    if plan.handoff is not None:
        log.warning("turn.handed_off", reason="the agent asks for a person: the bot falls silent")
