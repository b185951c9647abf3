"""Live updates: a page's changing part, sent again when it has changed (server-sent events)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from ak_instagram.errors import StoreUnavailable

EVERY = 2.0  # seconds between two looks
MAX_STREAMS = 64  # at once; whoever comes later reloads the page by hand
LASTS = 600.0  # seconds, after which the browser asks anew, and its session is looked at again
_QUIET = 7  # looks without a change, after which a sign of life is sent


class LiveUpdates:
    """
    The streams under way, a bounded number; *every* is in seconds.

    They end once *stopping* is set, so that nobody waits for them when the service ends.
    """

    def __init__(
        self,
        every: float = EVERY,
        most: int = MAX_STREAMS,
        stopping: asyncio.Event | None = None,
    ) -> None:
        self._every = every
        self._most = most
        self._stopping = stopping or asyncio.Event()
        self._open = 0
        self._rendering = asyncio.Lock()
        self._shared = ""
        self._shared_at = float("-inf")

    async def shared(self, render: Callable[[], Awaitable[str]]) -> str:
        """Return what *render* returned just now for any stream: these pages are all alike."""
        now = asyncio.get_running_loop().time
        async with self._rendering:
            if now() - self._shared_at >= self._every:
                self._shared = await render()
                self._shared_at = now()
        return self._shared

    def stream(self, render: Callable[[], Awaitable[str]]) -> Response:
        """Return a response that goes on with what *render* returns whenever that is new."""
        if self._open >= self._most:
            return PlainTextResponse("too many consoles are open", 503, {"Retry-After": "60"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._messages(render), 200, headers, "text/event-stream")

    async def _messages(self, render: Callable[[], Awaitable[str]]) -> AsyncIterator[str]:
        self._open += 1
        last, quiet = "", 0
        try:
            until = asyncio.get_running_loop().time() + LASTS
            while asyncio.get_running_loop().time() < until and not self._stopping.is_set():
                try:
                    now = await render()
                except StoreUnavailable:
                    now = last  # the page stays as it was
                if now != last:
                    yield message(now)
                    last, quiet = now, 0
                elif (quiet := quiet + 1) % _QUIET == 0:
                    yield ": still here\n\n"
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._every)
        finally:
            self._open -= 1


def message(html: str) -> str:
    """Return *html* as one message of a stream."""
    lines = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"{lines}\n"
