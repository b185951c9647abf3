"""A request's body, read once and with a cap."""

from __future__ import annotations

from starlette.types import Receive, Scope

from ak_instagram.errors import WebhookRejected

MOST_BYTES = 4 * 1024 * 1024  # a thousand updates, the most Meta sends at once, are 1 to 4 MiB


async def read_body(scope: Scope, receive: Receive) -> bytes | None:
    """
    Return the raw body, or `None` if the sender went away.

    Raises `errors.WebhookRejected` (413) as soon as it is known to exceed `MOST_BYTES`.
    """
    if _announced(scope) > MOST_BYTES:
        raise _too_large()
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > MOST_BYTES:
            raise _too_large()
        if not message.get("more_body"):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


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
    return WebhookRejected(413, f"the body is larger than {MOST_BYTES} bytes")
