"""
Speaking: what an agent has finished of its answer goes out while it writes the rest.

Two coroutines share a turn then: one reads the agent, the other plans each finished message and
delivers it. They meet in a `Speech`, and only one of them uses the claim at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol, TypeAlias

from ak_instagram.agents.agent import Part
from ak_instagram.agents.answers import clean, may_be_no_words
from ak_instagram.delivery.typing import Pause
from ak_instagram.reply.finished import FinishedMessages
from ak_instagram.reply.plan import Plan, plan_answer, takes_long
from ak_instagram.settings.model import Account
from ak_instagram.store.database import Transactions
from ak_instagram.store.values import Claim, EventStatus, Piece, TranscriptLine, TurnResult
from ak_instagram.store.verbs import steps

from .turn import TurnDraft


class Delivers(Protocol):
    """The step that sends a piece: `delivery.delivery.Delivery`."""

    async def deliver(self, claim: Claim, piece: Piece, account: Account | None) -> Claim | None:
        """Try to send *piece* once and return the next step."""
        ...


# Returns the transcript's lines of a turn, of which these parts make this plan.
Lines: TypeAlias = Callable[[list[Part], Plan], tuple[TranscriptLine, ...]]


class Unwanted(Exception):
    """Nobody wants the rest of the answer; leave the agent alone."""


@dataclass(eq=False, slots=True)
class Speaker:
    """
    Has answers go out while they are written.

    *thinks_first* says that the agent has begun an answer with a thought that only its end
    told: from then on nothing of an answer goes out before such an end.
    """

    store: Transactions
    delivery: Delivers
    thinks_first: bool = False


_NOTHING = Plan()
_NONE = FinishedMessages()


@dataclass(eq=False, slots=True)
class Speech:
    """
    The answer to one turn, as far as it goes out while it is written.

    *lines* returns the transcript of the parts told so far, if one is kept. *told* is the plan of
    what has been told; *is_unwanted* says that nobody wants the rest, and that *step* is what the
    conversation goes on with.
    """

    claim: Claim
    draft: TurnDraft
    account: Account
    lines: Lines | None
    told: Plan = _NOTHING
    step: Claim | None = None
    is_unwanted: bool = False
    task: asyncio.Task[None] | None = None
    _finished: FinishedMessages = _NONE
    _heard: Sequence[Part] = ()
    _read: int = 0  # of them
    _left: Sequence[Part] = ()
    _said: tuple[Part, ...] = ()
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _is_over: bool = False

    def hear(self, speaker: Speaker, pause: Pause, parts: Sequence[Part]) -> None:
        """
        Tell what is finished of *parts*, which are the agent's so far, as soon as may be.

        *pause* takes the typing indicator away for a piece. An answer that ends before anything
        else happens is left to be told as a whole. Raises `Unwanted` if nobody wants it any more.
        """
        self._heard = parts
        if self.task is None:
            self._finished = FinishedMessages(thinks_first=speaker.thinks_first)
            self.task = asyncio.create_task(self._tell_all(speaker, pause))
        elif self.task.done():
            raise Unwanted
        self._news.set()

    async def end(self, speaker: Speaker) -> None:
        """
        Wait until what is being told has been told, and tell nothing more.

        Raises what telling raised, `errors.LeaseLost` and `errors.StoreUnavailable` among it, and
        `Unwanted` if nobody wants the rest. Cancelled, it breaks off what is being told.
        """
        if self.task is None:
            return
        self._is_over = True
        self._news.set()
        if (ours := asyncio.current_task()) is not None and ours.cancelling():
            self.task.cancel()
        await self.task
        self._feed()
        self._left = self._finished.end()
        speaker.thinks_first |= self._finished.ends_unbegun_thought
        if self.is_unwanted:
            raise Unwanted

    def rest(self) -> list[Part]:
        """Return what had not been told of the answer at its end, cleaned."""
        return clean(self._left)

    async def _tell_all(self, speaker: Speaker, pause: Pause) -> None:
        """Tell what is finished, until the answer is over or nobody wants it."""
        while not (self._is_over or self.is_unwanted):
            self._news.clear()
            self._feed()
            if parts := clean(self._finished.take()):
                await self._tell(speaker, pause, parts)
            elif not self._news.is_set():
                await self._news.wait()

    def _feed(self) -> None:
        heard = len(self._heard)
        self._finished.feed(islice(self._heard, self._read, heard))
        self._read = heard

    async def _tell(self, speaker: Speaker, pause: Pause, parts: list[Part]) -> None:
        """Plan and deliver finished *parts*."""
        if may_be_no_words(parts) and not self.told.messages:
            while not self._is_over:  # the whole of it will tell
                self._news.clear()
                await self._news.wait()
            return
        plan = await planned(parts, self.draft.turn.messages[-1].mid if self.draft.turn else None)
        told = merged(self.told, plan)
        if plan.messages:
            step = await speaker.store.run(steps.settle, self.claim, self._result(parts, plan))
            if step is None or not step.is_writing:
                self.step, self.is_unwanted = step, True
                return
            self.told = told
            if step.piece is not None:
                async with pause(lambda: not self._is_over):
                    await self._deliver(speaker.delivery, step)
        self.told = told

    def _result(self, parts: list[Part], plan: Plan) -> TurnResult:
        """Return the result in which *parts*, of which *plan* is made, are told."""
        answered = dict.fromkeys(self.draft.answered_ids, EventStatus.ANSWERED)
        self._said += tuple(parts)
        return TurnResult(
            turn=self.draft.turn_id,
            events={**self.draft.other_statuses, **answered},
            messages=plan.messages,
            lines=self.lines(list(self._said), plan) if self.lines else (),
            first=len(self.told.messages),
            goes_on=True,
        )

    async def _deliver(self, delivery: Delivers, step: Claim | None) -> None:
        """Deliver the piece of *step*, and those that follow it."""
        while step is not None and step.piece is not None:
            step = await delivery.deliver(step, step.piece, self.account)


async def planned(parts: Sequence[Part], mid: str | None) -> Plan:
    """Return the plan of *parts*, by `plan_answer`; a long one is made in a thread."""
    if takes_long(parts):
        return await asyncio.to_thread(plan_answer, parts, mid)
    return plan_answer(parts, mid)


def merged(told: Plan, more: Plan) -> Plan:
    """Return the plan of an answer of which *told* comes first and then *more*."""
    return Plan(
        told.messages + more.messages,
        is_silent=more.is_silent and not (told.messages or told.refused),
        handoff=more.handoff if told.handoff is None else told.handoff,
        refused=told.refused + more.refused,
    )
