"""
Courtesies while the agent works: "seen" and the typing indicator.

They are for the person's eyes only: that one fails or is slow changes nothing.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/sender-actions
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import structlog

from ak_instagram import metrics

from .graph import Action
from .graph_errors import GraphError
from .pacer import Pacer

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
class Courtesy:
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
            courtesy = self._show(token, recipient, action)
            begun.append(asyncio.create_task(courtesy, context=context))

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
            await _finish([courtesy for courtesy in begun if not courtesy.done()], self.grace)

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
            metrics.COURTESY_FAILURES.inc()
            log.debug("courtesy.failed", action=action, reason=str(exc))


async def _finish(under_way: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Give what is *under_way* so many *seconds* to arrive, then cut it off."""
    if not under_way:
        return
    try:
        await asyncio.wait(under_way, timeout=seconds)
    finally:
        for courtesy in under_way:
            courtesy.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
