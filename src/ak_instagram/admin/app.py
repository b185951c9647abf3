"""
`/admin/`: one door for the API and the console.

Nobody gets further without a token or the console's cookie. What comes by the cookie may have
been sent by another site's page: it changes nothing unless it comes from one of our own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ak_instagram import fast_json
from ak_instagram.errors import StoreUnavailable
from ak_instagram.settings.model import Settings
from ak_instagram.store.database import Transactions

from .api import AdminApi, DoctorOnCall
from .auth import COOKIE, Caller, Gate, TooManyFailures, bearer, is_same_origin
from .openapi import ApiRoute, WrongRequest, as_json

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class AdminApp:
    """The ASGI application below `/admin`: *gate* tells who may come in, *api* is behind it."""

    def __init__(self, gate: Gate, api: AdminApi) -> None:
        self._gate = gate
        routes = [Route(it.path, _endpoint(it), methods=[it.method]) for it in api.routes()]
        handlers = {HTTPException: _refuse, WrongRequest: _refuse_wrong, StoreUnavailable: _fail}
        self._app: ASGIApp = Starlette(
            routes=[Mount("/api", app=Starlette(routes=routes, exception_handlers=handlers))],
            exception_handlers=handlers,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request to who may come in."""
        request = Request(scope, receive)
        try:
            caller = self._caller(request)
        except TooManyFailures as exc:
            wait = {"Retry-After": str(int(exc.seconds) + 1)}
            await _error(str(exc), HTTPStatus.TOO_MANY_REQUESTS, wait)(scope, receive, send)
            return
        if caller is None:
            challenge = {"WWW-Authenticate": "Bearer"}
            refusal = _error("a token is needed", HTTPStatus.UNAUTHORIZED, challenge)
            await refusal(scope, receive, send)
            return
        if (
            caller.form_token
            and request.method not in ("GET", "HEAD")
            and not (is_same_origin(request.headers))
        ):
            await _error("not from our own page", HTTPStatus.FORBIDDEN)(scope, receive, send)
            return
        scope["caller"] = caller
        await self._app(scope, receive, send)

    def _caller(self, request: Request) -> Caller | None:
        """Return who is asking; raises `TooManyFailures`."""
        token = bearer(request.headers)
        if token is not None:
            address = request.client.host if request.client else ""
            return self._gate.by_token(token, address)
        cookie = request.cookies.get(COOKIE)
        return self._gate.by_cookie(cookie) if cookie else None


def make_admin(store: Transactions, settings: Settings) -> ASGIApp:
    """Return the application below `/admin` of the service with *store*; there is a token."""
    assert settings.admin.token
    gate = Gate(settings.admin.token, settings.admin.read_token)
    return AdminApp(gate, AdminApi(store, settings, DoctorOnCall(settings)))


def _endpoint(route: ApiRoute) -> Callable[[Request], Awaitable[Response]]:
    """Return *route*'s handler for the router: its value as JSON."""

    async def endpoint(request: Request) -> Response:
        caller: Caller = request.scope["caller"]
        if route.changes and not caller.may_change:
            return _error("this token may only read", HTTPStatus.FORBIDDEN)
        return _json(await route.handle(request))

    return endpoint


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = fast_json.dump(as_json(value))
    return Response(body, status, HEADERS | (headers or {}), "application/json")


def _error(reason: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return _json({"error": reason}, status, headers)


async def _refuse(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return _error(exc.detail, exc.status_code, dict(exc.headers or {}))


async def _refuse_wrong(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, WrongRequest)
    return _error(str(exc), exc.status)


async def _fail(_request: Request, _exc: Exception) -> Response:
    return _error("the store does not answer", HTTPStatus.SERVICE_UNAVAILABLE)
