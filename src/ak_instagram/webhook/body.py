"""A request's body, read once, with a cap, a time limit, and few large ones at a time."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope

from ak_instagram.errors import WebhookRejected

MAX_BYTES = 4 * 1024 * 1024  # a thousand updates, the most Meta sends at once, are 1 to 4 MiB
SMALL_BYTES = 64 * 1024  # nearly all that Meta sends is smaller
SLOTS = 8  # bodies beyond `SMALL_BYTES` that are read at once
WITHIN = 30.0  # seconds from a body's first bytes to its last


class BodyReader:
    """
    Reads the bodies of all requests, and bounds the memory that unfinished ones hold.

    A body that is not small waits for a slot; meanwhile uvicorn reads no more of it.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(SLOTS)

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """
        Return the raw body.

        Raises `errors.WebhookRejected`: 413 as soon as it is known to exceed `MAX_BYTES`,
        408 if it is not there in time, 400 if the sender went away.
        """
        if _announced(scope) > MAX_BYTES:
            raise _too_large()
        # Nearly always this is all of it, so it has no time limit, which would cost more than
        # the reading does. Who sends no first byte holds no more than an idle connection.
        first, is_more = await _piece(receive)
        if len(first) > MAX_BYTES:
            raise _too_large()
        if not is_more:
            return first
        try:
            async with asyncio.timeout(WITHIN):
                return await self._read_rest(first, receive)
        except TimeoutError:
            raise WebhookRejected(408, f"the body took longer than {WITHIN:g} s") from None

    async def _read_rest(self, first: bytes, receive: Receive) -> bytes:
        body = bytearray(first)
        is_more = True
        while is_more and len(body) <= SMALL_BYTES:
            is_more = await _extend(body, receive)
        if is_more:
            async with self._slots:
                while is_more:
                    is_more = await _extend(body, receive)
        return bytes(body)


async def _extend(body: bytearray, receive: Receive) -> bool:
    """Add the next piece to *body*; return whether there is more."""
    piece, is_more = await _piece(receive)
    if len(body) + len(piece) > MAX_BYTES:
        raise _too_large()
    body += piece
    return is_more


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    """Return the next piece of a body, and whether there is more."""
    message = await receive()
    if message["type"] != "http.request":
        raise WebhookRejected(400, "the sender went away")
    return message.get("body", b""), message.get("more_body", False)


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header called *name* (lower case), if there is one."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def _announced(scope: Scope) -> int:
    length = header(scope, b"content-length")
    return int(length) if length and length.isdigit() else 0


def _too_large() -> WebhookRejected:
    return WebhookRejected(413, f"the body is larger than {MAX_BYTES} bytes")
