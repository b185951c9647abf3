"""The simulator as a web app: page, control API, pictures, Graph API."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from .control import conditions, users
from .control.requests import ENGINE, PHONES, errors_as_json
from .engine import Engine
from .graph.login import authorize
from .graph.routes import GraphApi
from .same_origin import guarded
from .state import Unknown
from .user_actions import UserActions

STATIC = Path(__file__).parent / "static"
_FILES = {each.name: each for each in STATIC.iterdir()}
_NO_CACHE = {"Cache-Control": "no-cache"}


def simulator_app(engine: Engine) -> web.Application:
    """Return the app for one world; the Graph API is what no other route is."""
    # Without a limit of its own: the parts know theirs.
    app = web.Application(middlewares=[errors_as_json], client_max_size=0)
    app[ENGINE] = engine
    app[PHONES] = UserActions(engine)
    app.router.add_get("/", guarded(page))
    app.router.add_get("/static/{name}", guarded(static_file))
    app.router.add_get("/_sim/media/{name}", users.picture)
    for route in (*users.ROUTES, *conditions.ROUTES):
        app.router.add_route(route.method, f"/_sim{route.path}", guarded(route.handler))
    app.router.add_route("*", "/_sim/{path:.*}", guarded(nothing))
    app.router.add_get("/oauth/authorize", authorize)
    app.router.add_route("*", "/{path:.*}", GraphApi(engine).handle)
    return app


async def page(request: web.Request) -> web.StreamResponse:
    """Return the page: a phone to chat on, beside what happens on the wire."""
    return web.FileResponse(STATIC / "index.html", headers=_NO_CACHE)


async def static_file(request: web.Request) -> web.StreamResponse:
    """Return one of the page's scripts, styles or pictures."""
    try:
        return web.FileResponse(_FILES[request.match_info["name"]], headers=_NO_CACHE)
    except KeyError:
        raise web.HTTPNotFound from None


async def nothing(request: web.Request) -> web.StreamResponse:
    """Refuse a path of the control API that does not exist."""
    raise Unknown(f"there is no {request.method} {request.path}")
