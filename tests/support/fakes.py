"""One fake for each seam; each remembers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Concatenate, cast

from ak_instagram.agents.agent import Part, Turn
from ak_instagram.meta.graph import Profile, RecentMessage
from ak_instagram.store.database import P, T, Tx, WorkQueue
from ak_instagram.store.values import Claim, LeaseId
from ak_instagram.store.verbs import steps


@dataclass
class FakeAgent:
    """Answers with *parts*, or raises *error*; waits for *gate* first, if there is one."""

    parts: Sequence[Part] = ()
    error: Exception | None = None
    gate: asyncio.Event | None = None
    history: int = 0
    asked: list[Turn] = field(default_factory=list)

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        self.asked.append(turn)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        for part in self.parts:
            yield part


@dataclass
class FakeGraph:
    """Meta's side: fails with the next of *errors*, if any; *hang* makes actions hang."""

    errors: list[Exception | None] = field(default_factory=list)
    action_error: Exception | None = None
    hang: asyncio.Event | None = None
    recent: tuple[RecentMessage, ...] | Exception = ()
    profiles: Mapping[str, Profile | Exception] = field(default_factory=dict)
    sent: list[Mapping[str, object]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, call: str, times: int = 1) -> None:
        """Return once *call* was made *times*."""
        while self.calls.count(call) < times:
            self.called.clear()
            await self.called.wait()

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.called.set()

    async def send_message(
        self, token: str, recipient: str, message: Mapping[str, object], timeout: float
    ) -> str:
        self._note("message")
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.sent.append(message)
        return f"mid-{len(self.sent)}"

    async def sender_action(self, token: str, recipient: str, action: str, timeout: float) -> None:
        self._note(action)
        if self.hang is not None:
            await self.hang.wait()
        if self.action_error is not None:
            raise self.action_error

    async def recent_messages(
        self, token: str, recipient: str, timeout: float
    ) -> tuple[RecentMessage, ...]:
        self._note("recent")
        if isinstance(self.recent, Exception):
            raise self.recent
        return self.recent

    async def me(self, token: str, timeout: float) -> Profile:
        self._note("me")
        answer = self.profiles[token]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class FakeStore:
    """
    A `WorkQueue` that notes each verb and does not run it; it hands out *claims* once.

    *log* has the verbs' names and arguments, without claims and the reasons that only the
    database is told. The next one raises *error*, if there is one.
    """

    claims: list[list[Claim]] = field(default_factory=list)
    next_step: Callable[[], Claim | None] = lambda: None
    ids: frozenset[str] = frozenset()
    error: Exception | None = None
    held: frozenset[LeaseId] = frozenset()
    log: list[tuple[Any, ...]] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    left: float = 30.0
    time: int = 0

    async def until(self, entries: int) -> None:
        """Return once so many claims have ended, or steps of them."""
        while len(self.log) < entries:
            self.told.clear()
            await self.told.wait()

    async def run(
        self, verb: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if verb is steps.sent_ids:
            return cast(T, self.ids)
        told = signature(verb).bind(None, *args, **kwargs)
        told.apply_defaults()
        quiet = {"tx", "claim"} if verb is steps.give_up else {"tx", "claim", "why"}
        self.note(verb.__name__, *(it for name, it in told.arguments.items() if name not in quiet))
        return cast(T, self.next_step())

    async def claim(self, limit: int) -> list[Claim]:
        if not self.claims:
            await asyncio.Event().wait()
        return self.claims.pop(0)

    async def renew(self) -> frozenset[LeaseId]:
        return self.held

    async def abandon(self, lease_ids: Collection[LeaseId]) -> None:
        self.note("abandon", lease_ids)

    def lease_left(self, claim: Claim) -> float:
        return self.left

    def now(self) -> int:
        return self.time

    def note(self, *entry: object) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.log.append(entry)
        self.told.set()


_: type[WorkQueue] = FakeStore  # so that mypy holds it to what it stands for
