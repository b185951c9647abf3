"""
Courtesies while the agent works: "seen" and the typing indicator.

They are for the person's eyes only: that one fails or is slow changes nothing.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/sender-actions
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import structlog

from ak_instagram import metrics
from ak_instagram.meta.graph import Action
from ak_instagram.meta.graph_errors import GraphError

log = structlog.get_logger()

RENEW = 12.0  # seconds; Instagram lets the indicator fade after about twenty
TIMEOUT = 5.0  # seconds for one courtesy
GRACE = 2.0  # seconds that the first piece waits for a courtesy under way
# Of the calls that an account may make: answers need the others. Meta allows it 100 a second.
SHARE = 0.25
MAX_RENEWALS = 25.0  # a second


class SenderActions(Protocol):
    """The part of the Graph client that courtesies need."""

    async def sender_action(
        self, token: str, recipient: str, action: Action, timeout: float
    ) -> None:
        """Show *action* to *recipient*."""
        ...


@dataclass(frozen=True, slots=True)
class TypingIndicator:
    """
    Shows people that somebody is there.

    *rate* is how many calls a second an account may make. The indicator is renewed
    every *renew* seconds, or less often in a crowd.
    """

    graph: SenderActions
    rate: float = 100.0
    renew: float = RENEW
    grace: float = GRACE
    _pacers: dict[str, Pacer] = field(default_factory=dict, init=False)

    @asynccontextmanager
    async def typing(self, token: str, recipient: str) -> AsyncIterator[None]:
        """
        Mark as seen, and show the typing indicator while the block runs.

        None of it is under way any more when the block has been left, so that the
        indicator can't come up after the answer.
        """
        begun: list[asyncio.Task[None]] = []
        context = contextvars.copy_context()  # a renewal is logged as its own turn's

        def begin(action: Action) -> None:
            typing_indicator = self._show(token, recipient, action)
            begun.append(asyncio.create_task(typing_indicator, context=context))

        renewal = partial(begin, "typing_on")
        pacer = self._pacer(token)
        try:
            begin("mark_seen")
            begin("typing_on")
            await asyncio.sleep(0)  # they go out before the question does
            pacer.add(renewal)
            yield
        finally:
            pacer.remove(renewal)
            await _finish(
                [typing_indicator for typing_indicator in begun if not typing_indicator.done()],
                self.grace,
            )

    def stop(self, token: str, recipient: str) -> Coroutine[Any, Any, None]:
        """Take the typing indicator away, for when no piece follows that does so."""
        return self._show(token, recipient, "typing_off")

    def _pacer(self, token: str) -> Pacer:
        """Return who paces the renewals of the account that *token* is of."""
        if token not in self._pacers:
            self._pacers[token] = Pacer(min(self.rate * SHARE, MAX_RENEWALS), self.renew)
        return self._pacers[token]

    async def _show(self, token: str, recipient: str, action: Action) -> None:
        try:
            await self.graph.sender_action(token, recipient, action, TIMEOUT)
        except GraphError as exc:
            metrics.TYPING_FAILURES.inc()
            log.debug("typing.failed", action=action, reason=str(exc))


async def _finish(under_way: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Give what is *under_way* so many *seconds* to arrive, then cut it off."""
    if not under_way:
        return
    try:
        await asyncio.wait(under_way, timeout=seconds)
    finally:
        for typing_indicator in under_way:
            typing_indicator.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)


# Seconds by which a timer may fire too early: uvloop's go by whole milliseconds.
_EARLY = 0.001


class Pacer:
    """
    Makes each of the calls added *every* so many seconds, at most *rate* a second in all.

    When more are due than that, each has to wait, and the one that was made longest ago
    is next. One timer serves all, so that a crowd costs no more than the calls do.
    """

    def __init__(self, rate: float, every: float) -> None:
        self._gap = 1 / rate
        self._every = every
        self._due_at = OrderedDict[Callable[[], None], float]()  # the next one first
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, call: Callable[[], None]) -> None:
        """Make *call* from now on, the first time when a whole period has passed."""
        self._due_at[call] = asyncio.get_running_loop().time() + self._every
        self._set_timer()

    def remove(self, call: Callable[[], None]) -> None:
        """Make *call* no more."""
        self._due_at.pop(call, None)

    def _set_timer(self) -> None:
        if self._due_at and self._timer is None:
            at = max(next(iter(self._due_at.values())), self._free_at)
            self._timer = asyncio.get_running_loop().call_at(at, self._ring)

    def _ring(self) -> None:
        """Make the next call, unless the one that the timer was set for has gone."""
        self._timer = None
        call = self._take(asyncio.get_running_loop().time())
        self._set_timer()
        if call is not None:
            call()

    def _take(self, now: float) -> Callable[[], None] | None:
        """Return the next call if it is due, and put it last."""
        call, due_at = next(iter(self._due_at.items()), (None, 0.0))
        if call is None or due_at > now + _EARLY:
            return None
        self._due_at[call] = now + self._every
        self._due_at.move_to_end(call)
        self._free_at = now + self._gap
        return call
