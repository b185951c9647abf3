"""
Profiles: the agent learns who writes, as far as Meta tells; asked beside the typing indicator.

That Meta is slow, refuses or forbids it is no obstacle: the agent is asked without.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

import structlog

from ak_instagram import fast_json
from ak_instagram.agents.agent import Agent, Part, Turn
from ak_instagram.backoff import Backoff
from ak_instagram.errors import StoreUnavailable, Transient
from ak_instagram.meta.graph.client import GraphAnswer
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.contact_profile import FIELDS, ContactProfile, read_contact_profile
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.settings.model import Account
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.people import profiles

log = structlog.get_logger()

Spawn = Callable[[Coroutine[Any, Any, None]], None]

WITHIN = 1.0  # seconds that the agent waits for it
TIMEOUT = 10.0  # seconds of the call, whose answer is kept for the next turn
DAY = 86_400_000  # milliseconds that a profile counts as known
HOUR = 3_600_000  # … and that Meta does not tell
_QUERY = {"fields": ",".join(FIELDS)}
_BUSY = Backoff(first=60, factor=2, longest=3600)
# A later call may be answered; all others are Meta's word: no consent (230), nobody (9010) …
_PASSING = frozenset({ErrorClass.TRANSIENT, ErrorClass.OUTCOME_UNKNOWN, ErrorClass.RATE_LIMITED})


class Nodes(Protocol):
    """The part of the Graph client that reads a node."""

    async def call(
        self,
        method: str,
        edge: str,
        token: str,
        timeout: float,
        params: Mapping[str, str] | None = None,
        *,
        node: str = "",
    ) -> GraphAnswer:
        """Return Meta's answer."""
        ...


class Profiles:
    """
    Knows who people are: from the store, else from Meta, at most *within* seconds.

    *find_account* returns whose token to ask with, *spawn* runs what is not waited for any more.
    An account that has asked too much is not
    asked with for a while.
    """

    def __init__(
        self,
        store: Transactions,
        graph: Nodes,
        find_account: Callable[[str], Account | None],
        spawn: Spawn,
        *,
        within: float = WITHIN,
    ) -> None:
        self._store = store
        self._graph = graph
        self._find_account = find_account
        self._spawn = spawn
        self._within = within
        self._limits: dict[str, tuple[int, float]] = {}  # how often in a row, and until when

    async def of(self, account: str, contact: str) -> ContactProfile | None:
        """Return the profile of *contact*, `None` if that can't be told now; raises nothing."""
        try:
            kept = await self._store.run(profiles.find, account, contact)
            known = self._find_account(account)
        except (StoreUnavailable, Transient):
            return None
        told = _kept(kept.profile) if kept is not None else None
        if kept is not None and kept.age < (HOUR if kept.profile is None else DAY):
            return told
        _, quiet_until = self._limits.get(account, (0, 0.0))
        if known is None or asyncio.get_running_loop().time() < quiet_until:
            return told
        answer: asyncio.Future[ContactProfile | None] = asyncio.get_running_loop().create_future()
        self._spawn(self._ask(known.access_token, account, contact, answer))
        done, _ = await asyncio.wait([answer], timeout=self._within)
        return (answer.result() or told) if done else told

    async def _ask(
        self, token: str, account: str, contact: str, told: asyncio.Future[ContactProfile | None]
    ) -> None:
        """Ask Meta, answer *told*, and keep what Meta says, in time for this turn or not."""
        profile, is_final = await self._read(token, account, contact)
        if not told.done():
            told.set_result(profile)
        if is_final:
            text = None if profile is None else fast_json.dump(profile.to_json()).decode()
            with suppress(StoreUnavailable):  # then it is asked again
                await self._store.run(profiles.keep, account, contact, text)

    async def _read(
        self, token: str, account: str, contact: str
    ) -> tuple[ContactProfile | None, bool]:
        """Return the profile as Meta tells it, and whether that will do for a while."""
        try:
            answer = await self._graph.call("GET", "", token, TIMEOUT, _QUERY, node=contact)
        except GraphError as error:
            log.debug("profile.not_told", reason=str(error), code=error.code)
            if error.error_class is ErrorClass.RATE_LIMITED:
                times = self._limits.get(account, (0, 0.0))[0] + 1
                wait = max(_BUSY.wait(times), error.retry_after or 0.0)
                self._limits[account] = times, asyncio.get_running_loop().time() + wait
            return None, error.error_class not in _PASSING
        self._limits.pop(account, None)
        return read_contact_profile(fast_json.load_object(answer.body) or {}), True


def _kept(profile: str | None) -> ContactProfile | None:
    """Return the profile that was kept as JSON."""
    return None if profile is None else read_contact_profile(fast_json.load_object(profile) or {})


class ProfiledAgent:
    """An agent whose turns say who wrote."""

    def __init__(self, agent: Agent, profiles: Profiles) -> None:
        self._agent = agent
        self._profiles = profiles

    @property
    def history(self) -> int:
        """See `Agent.history`."""
        return self._agent.history

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the agent's parts."""
        profile = await self._profiles.of(turn.account, turn.contact)
        parts = self._agent.answer(turn if profile is None else replace(turn, profile=profile))
        try:
            async for part in parts:
                yield part
        finally:
            if (aclose := getattr(parts, "aclose", None)) is not None:  # lets go of connections
                await aclose()
