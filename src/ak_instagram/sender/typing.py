"""
Courtesies while the agent works: "seen" and the typing indicator.

They are for the person's eyes only: that one fails or is slow changes nothing.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/sender-actions
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
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

    def typing(self, token: str, recipient: str) -> Typing:
        """Return the block while which the person sees that somebody is there."""
        return Typing(partial(self._show, token, recipient), self.renewals)

    def stop(self, token: str, recipient: str) -> Coroutine[Any, Any, None]:
        """Take the typing indicator away, for when no piece follows that does so."""
        return self._show(token, recipient, "typing_off")

    async def _show(self, token: str, recipient: str, action: Action) -> None:
        try:
            await self.graph.sender_action(token, recipient, action, TIMEOUT)
        except GraphError as exc:
            metrics.COURTESY_FAILURES.inc()
            log.debug("courtesy.failed", action=action, reason=str(exc))


class Typing:
    """
    Marks as seen and shows the typing indicator while the block runs.

    None of it is under way any more when the block has been left, so that the
    indicator can't come up after the answer.
    """

    def __init__(
        self, show: Callable[[Action], Coroutine[Any, Any, None]], renewals: asyncio.Semaphore
    ) -> None:
        self._show = show
        self._renewals = renewals
        self._begun: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        self._begin(self._show("mark_seen"))
        self._begin(self._show("typing_on"))
        await asyncio.sleep(0)  # they go out before the question does
        self._set_timer()

    async def __aexit__(self, *_: object) -> None:
        self._timer.cancel()
        if under_way := [courtesy for courtesy in self._begun if not courtesy.done()]:
            await _finish(under_way)

    def _begin(self, courtesy: Coroutine[Any, Any, None]) -> None:
        self._begun.append(asyncio.create_task(courtesy))

    def _set_timer(self) -> None:
        # A timer and no task that sleeps: thousands of turns may wait at once.
        self._timer = asyncio.get_running_loop().call_later(RENEW, self._renew)

    def _renew(self) -> None:
        self._set_timer()
        if not self._renewals.locked():
            self._begin(self._show_again())

    async def _show_again(self) -> None:
        async with self._renewals:
            await self._show("typing_on")


async def _finish(courtesies: Sequence[asyncio.Task[None]]) -> None:
    """Give what is under way a moment to arrive, then cut it off."""
    _, late = await asyncio.wait(courtesies, timeout=GRACE)
    for courtesy in late:
        courtesy.cancel()
    await asyncio.gather(*courtesies, return_exceptions=True)
