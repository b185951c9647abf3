"""
Courtesies while the agent works: "seen" and the typing indicator.

They are for the person's eyes only: that one fails or is slow changes nothing.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/sender-actions
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol

import structlog

from ak_instagram import metrics

from .graph_errors import GraphError

log = structlog.get_logger()

Action = Literal["mark_seen", "typing_on", "typing_off"]

RENEW = 12.0  # seconds; Instagram lets the indicator fade after about twenty
TIMEOUT = 5.0  # seconds for one courtesy
RENEWALS = 64  # at once; with thousands that wait, who finds no place is renewed next time
GRACE = 2.0  # seconds that the first piece waits for a courtesy under way


class Actions(Protocol):
    """The part of the Graph client that courtesies need."""

    async def sender_action(
        self, token: str, recipient: str, action: Action, timeout: float
    ) -> None:
        """Show *action* to *recipient*."""
        ...


@dataclass(frozen=True, slots=True)
class Courtesy:
    """Shows a person that somebody is there."""

    graph: Actions
    renewals: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, RENEWALS))

    @asynccontextmanager
    async def typing(self, token: str, recipient: str) -> AsyncIterator[None]:
        """
        Mark as seen and show the typing indicator while the block runs.

        None of it is under way any more when the block has been left, so that the
        indicator can't come up after the answer.
        """
        over = asyncio.Event()
        courtesies = (
            asyncio.create_task(self._show(token, recipient, "mark_seen")),
            asyncio.create_task(self._keep_typing(token, recipient, over)),
        )
        await asyncio.sleep(0)  # they go out before the question does
        try:
            yield
        finally:
            over.set()
            await _finish(courtesies)

    def stop(self, token: str, recipient: str) -> Coroutine[Any, Any, None]:
        """Take the typing indicator away, for when no piece follows that does so."""
        return self._show(token, recipient, "typing_off")

    async def _keep_typing(self, token: str, recipient: str, over: asyncio.Event) -> None:
        await self._show(token, recipient, "typing_on")
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), RENEW)
                return
            if not self.renewals.locked():
                async with self.renewals:
                    await self._show(token, recipient, "typing_on")

    async def _show(self, token: str, recipient: str, action: Action) -> None:
        try:
            await self.graph.sender_action(token, recipient, action, TIMEOUT)
        except GraphError as exc:
            metrics.COURTESY_FAILURES.inc()
            log.debug("courtesy.failed", action=action, reason=str(exc))


async def _finish(courtesies: Sequence[asyncio.Task[None]]) -> None:
    """Give what is under way a moment to arrive, then cut it off."""
    _, late = await asyncio.wait(courtesies, timeout=GRACE)
    for courtesy in late:
        courtesy.cancel()
    await asyncio.gather(*courtesies, return_exceptions=True)
