"""The pages of connecting: a link leads to Instagram, and back to a sentence on how it went."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .connecting import CALLBACK, CONNECT, Connecting, ConnectRefused

# What is in an address here is not to be kept, told to others, or built into their pages.
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
    " frame-ancestors 'none'; base-uri 'none'",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto;
padding: 0 1rem }}</style></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""


def connect_routes(connecting: Connecting, on_connected: Callable[[], None]) -> list[Route]:
    """Return the routes; *on_connected* is called when an account was connected."""

    async def connect(request: Request) -> Response:
        """Send the owner to Instagram."""
        try:
            url = await connecting.begin(request.query_params.get("link", ""))
        except ConnectRefused as refused:
            return _refusal(refused)
        return RedirectResponse(url, status_code=302, headers=_HEADERS)

    async def callback(request: Request) -> Response:
        """Take the owner back from Instagram."""
        query = request.query_params
        state, code = query.get("state", ""), query.get("code", "")
        try:
            profile = await connecting.finish(state, code, query.get("error", ""))
        except ConnectRefused as refused:
            return _refusal(refused)
        on_connected()
        name = f"@{profile.username}" if profile.username else profile.user_id
        return page("Connected", f"{name} is connected. You can close this page.")

    return [Route(CONNECT, connect), Route(CALLBACK, callback)]


def _refusal(refused: ConnectRefused) -> Response:
    return page("Not connected", str(refused), refused.status)


def page(title: str, text: str, status: int = 200) -> Response:
    """Return a page that says *text*."""
    body = _PAGE.format(title=escape(title), text=escape(text))
    return HTMLResponse(body, status_code=status, headers=_HEADERS)
