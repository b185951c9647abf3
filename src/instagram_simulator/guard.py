"""Keeps other web pages out of the simulator, and the simulator's page to itself."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Pictures may come from anywhere, for an agent may send links to them.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' https: http:; media-src 'self' https: http:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """
    Wraps the page and the control API; the Graph API has its token.

    A page of another site could reach the loopback through its visitor's browser. Such
    requests have a foreign `Origin`, or a foreign name in `Host` (DNS rebinding).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it comes from here."""
        if not is_from_here(Headers(scope=scope)):
            refusal = PlainTextResponse("This is for pages of the simulator only.", 403)
            await refusal(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def is_from_here(headers: Headers) -> bool:
    """Whether a request names this machine and does not come from another site's page."""
    host = headers.get("host", "")
    origin = headers.get("origin")
    return _is_local(host) and (origin is None or urlsplit(origin).netloc == host)


def _is_local(host: str) -> bool:
    """Whether *host* is `localhost` or an address; a name could point anywhere."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
