"""A request's body, read once, with a cap, a time limit, and few large ones at a time."""

from __future__ import annotations

import asyncio

from starlette.types import Receive

from ak_instagram.errors import WebhookRejected

MAX_BYTES = 4 * 1024 * 1024  # a thousand updates, the most Meta sends at once, are 1 to 4 MiB
SMALL_BYTES = 64 * 1024  # nearly all that Meta sends is smaller
SLOTS = 8  # bodies beyond `SMALL_BYTES` that are read at once
WITHIN = 30.0  # seconds from a body's first bytes to its last


class BodyReader:
    """
    Reads the bodies of all requests, and bounds the memory that unfinished ones hold.

    A body that is not small waits for a slot; meanwhile uvicorn reads no more of it.
    *within* is the seconds from a body's first bytes to its last.
    """

    def __init__(self, *, within: float = WITHIN) -> None:
        self._slots = asyncio.Semaphore(SLOTS)
        self._within = within

    async def read(self, receive: Receive, announced: bytes | None = None) -> bytes:
        """
        Return the raw body; *announced* is its `Content-Length`, if there is one.

        Raises `errors.WebhookRejected`: 413 as soon as it is known to exceed `MAX_BYTES`,
        408 if it is not there in time, 400 if the sender went away.
        """
        if announced and announced.isdigit() and int(announced) > MAX_BYTES:
            raise too_large()
        # Nearly always this is all of it, so it has no time limit, which would cost more than
        # the reading does. A sender of no first byte holds no more than an idle connection.
        first, is_more = await next_bytes(receive, before=0)
        if not is_more:
            return first
        body = bytearray(first)
        try:
            async with asyncio.timeout(self._within):
                if await read_on(body, receive, up_to=SMALL_BYTES):
                    async with self._slots:
                        await read_on(body, receive, up_to=MAX_BYTES)
        except TimeoutError:
            raise WebhookRejected(408, f"the body took longer than {self._within:g} s") from None
        return bytes(body)


async def read_on(body: bytearray, receive: Receive, up_to: int) -> bool:
    """Add to *body* until it ends or has more than *up_to* bytes; return whether there is more."""
    is_more = True
    while is_more and len(body) <= up_to:
        received, is_more = await next_bytes(receive, before=len(body))
        body += received
    return is_more


async def next_bytes(receive: Receive, before: int) -> tuple[bytes, bool]:
    """Return the next bytes of a body that has *before* already, and whether there is more."""
    message = await receive()
    if message["type"] != "http.request":
        raise WebhookRejected(400, "the sender went away")
    received: bytes = message.get("body", b"")
    if before + len(received) > MAX_BYTES:
        raise too_large()
    return received, message.get("more_body", False)


def too_large() -> WebhookRejected:
    """Return the refusal of a body that exceeds `MAX_BYTES`."""
    return WebhookRejected(413, f"the body is larger than {MAX_BYTES} bytes")
