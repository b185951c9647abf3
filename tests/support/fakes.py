"""One fake for each seam; each remembers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Concatenate, cast

from ak_instagram.agents.agent import Part, Turn
from ak_instagram.meta.graph.client import Profile, RecentMessage
from ak_instagram.settings.model import Account
from ak_instagram.store.database import P, T, Transactions, Tx, WorkQueue
from ak_instagram.store.postgres.engine import ServerClock
from ak_instagram.store.values import Claim, FailedCall, LeaseId, Piece
from ak_instagram.store.verbs import steps


@dataclass
class FakeSteadyClock:
    """A steady clock, in seconds, that stands still unless the test moves it."""

    time: float = 0.0

    def __call__(self) -> float:
        return self.time


class FakeClock(ServerClock):
    """A store's clock, in UTC milliseconds, that stands still unless it is moved."""

    is_stale = False

    def __init__(self, now: int) -> None:
        super().__init__()
        self.now = now

    def __call__(self) -> int:
        return self.now

    def move(self, milliseconds: int) -> None:
        self.now += milliseconds


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

    errors: Sequence[Exception | None] = ()
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
        if self.errors:
            error, *self.errors = self.errors
            if error is not None:
                raise error
        self.sent.append(message)
        return f"mid-{len(self.sent)}"

    async def send_as_person(
        self, token: str, recipient: str, message: Mapping[str, object], timeout: float
    ) -> str:
        return await self.send_message(token, recipient, {"tagged": message}, timeout)

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
    database is told. *failed* is the call of which the latest verb was told that it failed. The
    next one raises *error*, if there is one.
    """

    claims: list[list[Claim]] = field(default_factory=list)
    next_step: Callable[[], Claim | None] = lambda: None
    ids: frozenset[str] = frozenset()
    error: Exception | None = None
    held: frozenset[LeaseId] = frozenset()
    log: list[tuple[Any, ...]] = field(default_factory=list)
    failed: FailedCall | None = None
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
        self.failed = told.arguments.get("failed", self.failed)
        quiet = {"tx", "claim", "failed"} | ({"why"} if verb is not steps.give_up else set())
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


class ScriptedStore:
    """
    A store of one verb: it returns or raises *outcomes* in turn, and then never answers.

    *calls* has the arguments of each call; *done* is set by the call that is not answered.
    """

    def __init__(self, verb: Callable[..., Any], *outcomes: object) -> None:
        self.verb = verb
        self.outcomes = list(outcomes)
        self.calls: list[tuple[object, ...]] = []
        self.done = asyncio.Event()

    async def run(
        self, verb: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        assert verb is self.verb
        self.calls.append(args)
        if not self.outcomes:
            self.done.set()
            await asyncio.Event().wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return cast(T, outcome)


class FakeSteps:
    """
    Stands for answering and delivery: takes steps, each of which ends as the test says.

    An outcome is what is done next, what is raised, or an event to wait for; after the last
    of *outcomes*, claims end.
    """

    def __init__(self, *outcomes: Claim | Exception | asyncio.Event | None) -> None:
        self.outcomes = list(outcomes)
        self.taken: list[Claim] = []
        self.accounts: list[Account | None] = []
        self.taken_one = asyncio.Event()
        self.cut_off: list[str] = []

    async def until(self, steps: int) -> None:
        """Return once so many steps were taken."""
        while len(self.taken) < steps:
            self.taken_one.clear()
            await self.taken_one.wait()

    async def answer(self, claim: Claim, account: Account | None) -> Claim | None:
        self.taken.append(claim)
        self.accounts.append(account)
        self.taken_one.set()
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        if not isinstance(outcome, asyncio.Event):
            return outcome
        try:
            await outcome.wait()
        except asyncio.CancelledError:
            self.cut_off.append(claim.contact)
            raise
        return None

    async def deliver(self, claim: Claim, _piece: Piece, account: Account | None) -> Claim | None:
        return await self.answer(claim, account)


# So that mypy holds them to what they stand for.
_QUEUE: type[WorkQueue] = FakeStore
_TRANSACTIONS: type[Transactions] = ScriptedStore
