"""One fake for each seam; each remembers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ak_instagram.agents.agent import Part, Turn
from ak_instagram.meta.graph_responses import Profile, RecentMessage
from ak_instagram.store.values import Claim, PieceStatus, TurnResult, WaitReason


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
    """Remembers how claims end; hands out *claims* and then waits for ever."""

    claims: list[list[Claim]] = field(default_factory=list)
    next_step: Callable[[], Claim | None] = lambda: None
    ids: frozenset[str] = frozenset()
    error: Exception | None = None
    held: set[tuple[str, str, int]] = field(default_factory=set)
    log: list[tuple] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    left: float = 30.0
    time: int = 0

    async def until(self, entries: int) -> None:
        """Return once so many claims have ended, or steps of them."""
        while len(self.log) < entries:
            self.told.clear()
            await self.told.wait()

    async def claim(self, most: int) -> list[Claim]:
        if not self.claims:
            await asyncio.Event().wait()
        return self.claims.pop(0)

    async def settle(self, claim: Claim, turn_result: TurnResult) -> Claim | None:
        return self._note("settle", turn_result)

    async def sent(self, claim: Claim, message_id: str) -> Claim | None:
        return self._note("sent", message_id)

    async def give_up(self, claim: Claim, why: str) -> Claim | None:
        return self._note("give_up", why)

    async def close_window(self, claim: Claim, why: str) -> Claim | None:
        return self._note("close_window")

    async def retry(
        self,
        claim: Claim,
        *,
        after: float,
        why: str,
        then: PieceStatus = PieceStatus.PLANNED,
        wait_reason: WaitReason | None = None,
    ) -> None:
        self._note("retry", after, then, wait_reason)

    async def wake_account(self, account: str) -> int:
        self._note("wake_account", account)
        return 1

    def now(self) -> int:
        return self.time

    def lease_left(self, claim: Claim) -> float:
        return self.left

    async def sent_ids(self, claim: Claim) -> frozenset[str]:
        return self.ids

    async def renew(self) -> set[tuple[str, str, int]]:
        return self.held

    async def abandon(self, lease_ids: set[tuple[str, str, int]]) -> None:
        self._note("abandon", lease_ids)

    def _note(self, *entry: object) -> Claim | None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.log.append(entry)
        self.told.set()
        return self.next_step()
