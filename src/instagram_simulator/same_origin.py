"""The same-origin rule: other sites' pages stay out, and the simulator's page loads its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Pictures may come from anywhere, for an agent may send links to them.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' https: http:; media-src 'self' https: http:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def guarded(handler: Handler) -> Handler:
    """
    Return *handler* for callers from here only, its responses with the page's policy.

    This is for the page and the control API; the Graph API has its token. A page of
    another site could reach the loopback through its visitor's browser. Such requests
    have a foreign `Origin`, or a foreign name in `Host` (DNS rebinding).
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        """Return what *handler* does, or a refusal."""
        if not is_from_here(request.headers):
            return web.Response(text="This is for pages of the simulator only.", status=403)
        response = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return handle


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Whether a request names this machine and does not come from another site's page."""
    host = headers.get("Host", "")
    origin = headers.get("Origin")
    return is_local(host) and (origin is None or urlsplit(origin).netloc == host)


def is_local(host: str) -> bool:
    """Whether *host* is `localhost` or an address; a name could point anywhere."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
