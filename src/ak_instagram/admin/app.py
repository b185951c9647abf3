"""
`/admin/`: one door for the API and the console.

Nobody gets further without a token or the console's cookie; whoever has neither is shown the
login, with 401. What comes by the cookie may have been sent by another site's page: it changes
nothing unless it comes from one of our own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ak_instagram import __version__, fast_json
from ak_instagram.errors import StoreUnavailable
from ak_instagram.settings.model import Settings
from ak_instagram.store.database import Transactions

from .api import AdminApi, DoctorOnCall, account_states
from .auth import (
    COOKIE,
    SESSION,
    Caller,
    Gate,
    TooManyFailures,
    bearer,
    is_https,
    is_same_origin,
)
from .console.live import LiveUpdates
from .console.pages import Pages, Standing, form_of, see_other
from .console.rendering import render
from .figures import Figures
from .openapi import ApiRoute, WrongRequest, as_json

log = structlog.get_logger()

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class AdminApp:
    """
    The ASGI application below `/admin`: *gate* tells who may come in.

    Behind it are *api* and the *pages* of the console.
    """

    def __init__(self, gate: Gate, api: AdminApi, pages: Pages) -> None:
        self._gate = gate
        routes = [Route(it.path, _endpoint(it), methods=[it.method]) for it in api.routes()]
        known = {HTTPException: refuse, WrongRequest: refuse, StoreUnavailable: refuse}
        self._app: ASGIApp = Starlette(
            routes=[
                Mount("/api", app=Starlette(routes=routes, exception_handlers=known)),
                Route("/logout", self.log_out, methods=["POST"]),
                *pages.routes(),
            ],
            exception_handlers={**known, Exception: refuse},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request to who may come in."""
        request = Request(scope, receive)
        response = await self._turn_away(request)
        try:
            await (response or self._app)(scope, receive, send)
        except Exception as exc:  # it has been answered; a bug here concerns nobody else
            log.exception("admin.failed", reason=type(exc).__name__)

    async def _turn_away(self, request: Request) -> Response | None:
        """Return what a caller gets who may not come in, or who logs in; `None` for others."""
        path = request.url.path.removeprefix("/admin")
        reads = request.method in ("GET", "HEAD")
        address = request.client.host if request.client else ""
        try:
            if path == "/login" and request.method == "POST":
                return await self._log_in(request, address)
            token, cookie = bearer(request.headers), request.cookies.get(COOKIE, "")
            caller = self._gate.by_token(token, address) if token else self._gate.by_cookie(cookie)
        except TooManyFailures as exc:
            wait = {"Retry-After": str(int(exc.seconds) + 1)}
            return refusal(request, str(exc), HTTPStatus.TOO_MANY_REQUESTS, wait)
        if caller is None:
            challenge = {"WWW-Authenticate": "Bearer"}
            return refusal(request, "a token is needed", HTTPStatus.UNAUTHORIZED, challenge)
        if not reads and caller.form_token and not is_same_origin(request.headers):
            return refusal(request, "this is for our own pages", HTTPStatus.FORBIDDEN)
        is_api = path.startswith("/api/")
        if not reads and not is_api and path != "/logout" and not caller.may_change:
            return refusal(request, "this token may only read", HTTPStatus.FORBIDDEN)
        request.scope["caller"] = caller
        return None

    async def _log_in(self, request: Request, address: str) -> Response:
        """Take a token, and give the cookie that stands for it."""
        if not is_same_origin(request.headers):
            return refusal(request, "this is for our own pages", HTTPStatus.FORBIDDEN)
        try:
            form = await form_of(request)
        except WrongRequest as exc:
            return refusal(request, str(exc), exc.status)
        caller = self._gate.by_token(form.get("token", "").strip(), address)
        if caller is None:
            return refusal(request, "this is not the token", HTTPStatus.UNAUTHORIZED)
        response = see_other("/admin/")
        response.set_cookie(
            COOKIE,
            self._gate.new_session(caller),
            max_age=SESSION,
            path="/admin",
            secure=is_https(request.url.scheme, request.headers),
            httponly=True,
            samesite="strict",
        )
        return response

    async def log_out(self, _request: Request) -> Response:
        """Take the cookie away."""
        response = see_other("/admin/")
        response.delete_cookie(COOKIE, path="/admin", httponly=True, samesite="strict")
        return response


def make_admin(
    store: Transactions, settings: Settings, figures: Figures, stopping: asyncio.Event
) -> ASGIApp:
    """
    Return the application below `/admin` of the service with *store*, which has a token.

    *figures* are those of this process, whose end begins when *stopping* is set.
    """
    assert settings.admin.token
    gate = Gate(settings.admin.token, settings.admin.read_token)
    doctor = DoctorOnCall(settings)
    api = AdminApi(store, settings, doctor)
    live = LiveUpdates(stopping=stopping)
    standing = Standing(store, partial(account_states, store, settings))
    pages = Pages(store, settings, figures, doctor, live, standing)
    return AdminApp(gate, api, pages)


def _endpoint(route: ApiRoute) -> Callable[[Request], Awaitable[Response]]:
    """Return *route*'s handler for the router: its value as JSON."""

    async def endpoint(request: Request) -> Response:
        caller: Caller = request.scope["caller"]
        if route.changes and not caller.may_change:
            return refusal(request, "this token may only read", HTTPStatus.FORBIDDEN)
        return _json(await route.handle(request))

    return endpoint


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = fast_json.dump(as_json(value))
    return Response(body, status, HEADERS | (headers or {}), "application/json")


def refusal(
    request: Request, reason: str, status: int, headers: dict[str, str] | None = None
) -> Response:
    """Return why a request is refused: as JSON to programs, as a page to people."""
    if request.url.path.startswith("/admin/api/"):
        return _json({"error": reason}, status, headers)
    caller: Caller | None = request.scope.get("caller")
    template = "refused.html" if caller else "login.html"
    values = {"reason": reason, "status": status, "caller": caller, "version": __version__}
    response = render(template, int(status), **values, place="", said="")
    response.headers.update(headers or {})
    return response


async def refuse(request: Request, exc: Exception) -> Response:
    """Answer a request that ended with *exc*."""
    match exc:
        case HTTPException():
            return refusal(request, exc.detail, exc.status_code, dict(exc.headers or {}))
        case WrongRequest():
            return refusal(request, str(exc), exc.status)
        case StoreUnavailable():
            return refusal(request, "the store does not answer", HTTPStatus.SERVICE_UNAVAILABLE)
        case _:
            wrong = "a bug; the log has more (admin.failed)"
            return refusal(request, wrong, HTTPStatus.INTERNAL_SERVER_ERROR)
