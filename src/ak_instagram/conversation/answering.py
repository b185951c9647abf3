"""Answering: a turn goes to the agent, and the parts that come back become a planned answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any

import structlog

from ak_instagram import metrics
from ak_instagram.agents.agent import Agent, Handoff, Part, Text, Turn, prompt
from ak_instagram.agents.answers import ask
from ak_instagram.backoff import Backoff
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.typing import Pause, TypingIndicator
from ak_instagram.errors import Deferred, LeaseLost, Permanent, StoreUnavailable, Transient
from ak_instagram.reply.finished import in_messages
from ak_instagram.reply.plan import Plan, plan_answer, takes_long
from ak_instagram.reply.rich import said_in
from ak_instagram.settings.comment_rules import CommentRule
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

from .comments import AskAgent, Leave, Say, privately, verdict
from .requests import Requests
from .speaking import Speaker, Speech, Unwanted, merged, planned
from .turn import TurnDraft, compose, without_quotes

log = structlog.get_logger()

Spawn = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Answering:
    """
    Sees a claim's events through to a planned answer, another attempt, or a dead letter.

    An answer has at most *max_answer* bytes and takes at most *timeout* seconds.
    *fallback* is what a person gets when the agent has failed for good; empty is
    silence; an account may have its own. *spawn* runs what nobody waits for.
    *comments* are the rules for private replies, *requests* what a person can ask the
    service itself for, `None` if there is nothing. With a *speaker* messages go out while the
    agent writes the next.
    """

    store: Transactions
    agent: Agent
    circuit_breaker: CircuitBreaker
    typing_indicator: TypingIndicator | NoIndicator
    backoff: Backoff
    max_answer: int
    timeout: float
    fallback: str
    spawn: Spawn
    comments: Sequence[CommentRule] = ()
    requests: Requests | None = None
    speaker: Speaker | None = None

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
            if draft.comment is not None:
                return await self._reply(claim, draft, draft.turn, account)
            if self.requests is not None:
                if self.requests.ask_for_person(draft.turn.messages):
                    return await self._hand_over(claim, draft, draft.turn, self.requests)
                if head := self.requests.until_reset(claim, draft.turn.messages):
                    return await self._start_over(head, self.requests)
            return await self._answer(claim, draft, draft.turn, account)

    async def _reply(
        self, claim: Claim, draft: TurnDraft, turn: Turn, account: Account
    ) -> Claim | None:
        """Reply privately to the comment that *turn* is, or leave it alone, as the rules say."""
        [comment] = turn.messages
        decided = verdict(comment.text, comment.at, time.time_ns() // 1_000_000, self.comments)
        match decided:
            case AskAgent():
                # There is one reply to a comment, however the answer comes.
                unseen = replace(self, typing_indicator=NoIndicator(), speaker=None)
                return await unseen._answer(claim, draft, turn, account)
            case Say(text):
                log.info("comment.replied", by="rule")
                plan = plan_answer([Text(text)])
                return await self._settle(claim, draft, EventStatus.ANSWERED, plan)
            case Leave(why):
                log.info("comment.left", reason=why)
                return await self._settle(claim, draft, EventStatus.IGNORED, Plan(), why)

    async def _answer(
        self, claim: Claim, draft: TurnDraft, turn: Turn, account: Account
    ) -> Claim | None:
        began = time.perf_counter()
        # An agent that keeps its own memory needs no transcript.
        lines = partial(_transcript_lines, turn) if self.agent.history else None
        speech = Speech(claim, draft, account, lines)
        try:
            async with self.typing_indicator.typing(account.access_token, claim.contact) as pause:
                hear = partial(speech.hear, self.speaker, pause) if self.speaker else None
                try:
                    parts = await ask(self.agent, turn, self.max_answer, self.timeout, hear)
                finally:
                    if self.speaker is not None and speech.task is not None:
                        await speech.end(self.speaker)
            mid = turn.messages[-1].mid
            if speech.told.messages:
                plan = await planned(speech.rest(), mid)
            elif any(map(attrgetter("turn"), claim.events)):
                # Replayed: what has been said of it before is known by its words.
                plan = await planned(in_messages(parts), mid)
            elif takes_long(parts):
                plan = await asyncio.to_thread(plan_answer, parts, mid)
            else:
                plan = plan_answer(parts, mid)
        except Unwanted:
            metrics.TURNS.labels("stopped").inc()
            return self._end_typing(speech.step, claim, account)
        except (LeaseLost, StoreUnavailable):
            raise
        except Deferred as exc:
            step = await self.store.run(steps.defer, claim, exc.seconds)
            metrics.TURNS.labels("deferred").inc()
            log.info("turn.deferred", seconds=exc.seconds)
            return self._end_typing(step, claim, account)
        except Permanent as exc:
            step = await self._dead_letter(claim, draft, str(exc), account, speech.told, began)
            return self._end_typing(step, claim, account)
        except Transient as exc:
            step = await self._try_again(claim, draft, exc, account, speech.told, began)
            return self._end_typing(step, claim, account)
        except Exception as exc:  # a bug in an adapter: it must not stop the conversation
            log.exception("turn.crashed")
            bug = Transient(f"bug: {type(exc).__name__}")
            step = await self._try_again(claim, draft, bug, account, speech.told, began)
            return self._end_typing(step, claim, account)
        seconds = time.perf_counter() - began
        told, whole = (
            speech.told.messages,
            merged(speech.told, plan) if speech.told.messages else plan,
        )
        said = lines(parts, whole) if lines else ()
        step = await self._settle(claim, draft, EventStatus.ANSWERED, plan, lines=said, told=told)
        _log_answer(turn, whole, seconds)
        return self._end_typing(step, claim, account)

    async def _hand_over(
        self, claim: Claim, draft: TurnDraft, turn: Turn, requests: Requests
    ) -> Claim | None:
        """Leave *turn*, which asks for a person, to one: the agent is not asked."""
        said: list[Part] = [Text(requests.handoff_reply)] if requests.handoff_reply else []
        plan = plan_answer([*said, Handoff("the person asks for a person")])
        lines = _transcript_lines(turn, said, plan) if self.agent.history else ()
        metrics.TURNS.labels("answered" if plan.messages else "silent").inc()
        log.warning("turn.handed_off", reason=f"{plan.handoff}: the bot falls silent")
        return await self._settle(claim, draft, EventStatus.ANSWERED, plan, lines=lines)

    async def _start_over(self, claim: Claim, requests: Requests) -> Claim | None:
        """Begin a new session: what *claim* has was said in the old one, and is not answered."""
        plan = plan_answer([Text(requests.reset_reply)] if requests.reset_reply else [])
        draft = replace(compose(claim), starts_over=True)
        metrics.TURNS.labels("answered" if plan.messages else "silent").inc()
        log.info("session.reset", reason="the person asked for it")
        return await self._settle(claim, draft, EventStatus.IGNORED, plan, "the person began anew")

    def _end_typing(self, step: Claim | None, claim: Claim, account: Account) -> Claim | None:
        """Return the next *step*; unless it is a piece, nothing else takes the indicator away."""
        if step is None or step.piece is None:
            self.spawn(self.typing_indicator.stop(account.access_token, claim.contact))
        return step

    async def _try_again(
        self,
        claim: Claim,
        draft: TurnDraft,
        exc: Transient,
        account: Account,
        told: Plan,
        began: float,
    ) -> Claim | None:
        if told.messages:  # and is never asked for again
            return await self._dead_letter(claim, draft, str(exc), account, told, began)
        failures = claim.failures + 1
        wait = self.backoff.wait_or_give_up(failures)
        if wait is None or (exc.attempts is not None and failures >= exc.attempts):
            why = f"gave up: {exc}"
            return await self._dead_letter(claim, draft, why, account, told, began)
        after = max(wait, exc.retry_after or 0.0)
        metrics.TURNS.labels("retried").inc()
        log.warning("turn.retrying", after=round(after, 1), failures=failures, reason=str(exc))
        failed = _failed_call(claim, "retried", str(exc), began)
        await self.store.run(steps.retry, claim, after=after, why=str(exc), failed=failed)
        return None

    async def _dead_letter(
        self,
        claim: Claim,
        draft: TurnDraft,
        reason: str,
        account: Account,
        told: Plan,
        began: float,
    ) -> Claim | None:
        """Make the turn a dead letter; what has been *told* of its answer stands."""
        metrics.TURNS.labels("dead").inc()
        metrics.DEAD_LETTERS.labels("turn").inc()
        reason = sanitize(reason)  # a plug-in may have put anything there
        if told.messages:
            reason = f"cut off after {len(told.messages)} messages: {reason}"
        log.error("turn.dead_lettered", reason=reason, failures=claim.failures + 1)
        fallback = self.fallback if account.fallback is None else account.fallback
        # An apology that nobody has asked for in private would be odd, and so is one that
        # follows half an answer.
        apologizes = fallback and draft.comment is None and not told.messages
        plan = plan_answer([Text(sanitize(fallback))] if apologizes else [])
        failed = _failed_call(claim, "dead", reason, began)
        return await self._settle(
            claim, draft, EventStatus.DEAD, plan, reason, told=told.messages, failed=failed
        )

    async def _settle(
        self,
        claim: Claim,
        draft: TurnDraft,
        status: EventStatus,
        plan: Plan,
        reason: str | None = None,
        lines: tuple[TranscriptLine, ...] = (),
        told: Sequence[object] = (),
        failed: FailedCall | None = None,
    ) -> Claim | None:
        turn_result = TurnResult(
            turn=draft.turn_id,
            events={**draft.other_statuses, **dict.fromkeys(draft.answered_ids, status)},
            reason=reason,
            messages=privately(draft.comment, plan.messages) if draft.comment else plan.messages,
            lines=lines,
            hands_over=plan.handoff is not None,
            handoff=plan.handoff or "",
            starts_over=draft.starts_over,
            first=len(told),
            failed=failed,
        )
        return await self.store.run(steps.settle, claim, turn_result)


class NoIndicator:
    """The typing indicator of whoever has only commented: there is no conversation to see it in."""

    @asynccontextmanager
    async def typing(self, _token: str, _recipient: str) -> AsyncIterator[Pause]:
        """Show nothing while the block runs."""
        yield lambda _goes_on: nullcontext()

    async def stop(self, _token: str, _recipient: str) -> None:
        """Take nothing away."""


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
