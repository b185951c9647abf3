"""
Typing indicator: "seen" and the dots, while the agent works.

Both are for the person's eyes only: that one fails or is slow changes nothing.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/sender-actions
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import filterfalse
from typing import Protocol, TypeAlias

import structlog

from ak_instagram import metrics
from ak_instagram.meta.graph.client import Action
from ak_instagram.meta.graph.errors import GraphError

log = structlog.get_logger()

RENEW = 12.0  # seconds; Instagram lets the indicator fade after about twenty
TIMEOUT = 5.0  # seconds for one call
GRACE = 2.0  # seconds that the first piece waits for a call under way
# Of the calls that an account may make: answers need the others. Meta allows it 100 a second.
SHARE = 0.25
MAX_RENEWALS = 25.0  # a second
EARLY = 0.001  # seconds by which a timer may fire too early: uvloop's go by whole milliseconds


# Shows no indicator while its block runs, and shows one again afterwards if the turn goes on.
Pause: TypeAlias = Callable[[Callable[[], bool]], AbstractAsyncContextManager[None]]


class SenderActions(Protocol):
    """The part of the Graph client that shows sender actions."""

    async def sender_action(
        self, token: str, recipient: str, action: Action, timeout: float
    ) -> None:
        """Show *action* to *recipient*."""
        ...


class TypingIndicator:
    """
    Shows people that somebody is there.

    *rate* is how many calls a second an account may make. The indicator is renewed
    every *renew* seconds, or less often in a crowd. Calls under way have *grace* seconds
    to arrive when a turn ends.
    """

    def __init__(
        self,
        graph: SenderActions,
        rate: float = 100.0,
        *,
        renew: float = RENEW,
        grace: float = GRACE,
    ) -> None:
        self._graph = graph
        self._rate = min(rate * SHARE, MAX_RENEWALS)
        self._renew = renew
        self._grace = grace
        self._pacers: dict[str, Pacer] = {}  # by token

    @asynccontextmanager
    async def typing(self, token: str, recipient: str) -> AsyncIterator[Pause]:
        """
        Mark as seen, and show the typing indicator while the block runs.

        No call is under way any more when the block has been left, so that the
        indicator can't come up after the answer. It yields what takes the indicator away in
        the same manner for a piece that goes out meanwhile.
        """
        begun: list[asyncio.Task[None]] = []
        context = contextvars.copy_context()  # a renewal is logged as its own turn's

        def begin(action: Action) -> None:
            call = self._graph.sender_action(token, recipient, action, TIMEOUT)
            begun.append(asyncio.create_task(call, name=action, context=context))

        if token not in self._pacers:
            self._pacers[token] = Pacer(self._rate, self._renew)
        pacer, renewal = self._pacers[token], partial(begin, "typing_on")

        @asynccontextmanager
        async def pause(goes_on: Callable[[], bool]) -> AsyncIterator[None]:
            pacer.remove(renewal)
            await _finish(begun, self._grace)
            yield
            if goes_on():
                begin("typing_on")
                pacer.add(renewal)

        try:
            begin("mark_seen")
            begin("typing_on")
            await asyncio.sleep(0)  # they go out before the question does
            pacer.add(renewal)
            yield pause
        finally:
            pacer.remove(renewal)
            await _finish(begun, self._grace)

    async def stop(self, token: str, recipient: str) -> None:
        """Take the indicator away, for when no piece follows that does so."""
        try:
            await self._graph.sender_action(token, recipient, "typing_off", TIMEOUT)
        except GraphError as error:
            _note_failure("typing_off", error)


def _note_failure(action: str, error: BaseException) -> None:
    """Count and log that *action* was not shown, and no more."""
    metrics.TYPING_FAILURES.inc()
    if isinstance(error, GraphError):
        log.debug("typing.failed", action=action, reason=str(error))
    else:
        log.error("typing.failed", action=action, exc_info=error)


async def _finish(begun: list[asyncio.Task[None]], seconds: float) -> None:
    """Give the calls *begun* so many *seconds* to arrive, then cut them off; forget them."""
    if under_way := set(filterfalse(asyncio.Task.done, begun)):
        try:
            await asyncio.wait(under_way, timeout=seconds)
        finally:
            for call in under_way:
                call.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
    for call in begun:
        if not call.cancelled() and (error := call.exception()) is not None:
            _note_failure(call.get_name(), error)
    begun.clear()


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
        loop = asyncio.get_running_loop()
        self._due_at[call] = loop.time() + self._every
        if self._timer is None:
            self._set_timer(loop)

    def remove(self, call: Callable[[], None]) -> None:
        """Make *call* no more."""
        self._due_at.pop(call, None)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the timer for the next call, if there is one."""
        if self._due_at:
            at = max(next(iter(self._due_at.values())), self._free_at)
            self._timer = loop.call_at(at, self._ring)

    def _ring(self) -> None:
        """Make the next call, unless the one that the timer was set for has gone."""
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        call, due_at = next(iter(self._due_at.items()), (None, 0.0))
        is_due = due_at <= now + EARLY
        if call is not None and is_due:
            self._due_at[call] = now + self._every
            self._due_at.move_to_end(call)
            self._free_at = now + self._gap
        self._set_timer(loop)
        if call is not None and is_due:
            call()
