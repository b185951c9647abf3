"""The simulator as an ASGI app: page, control API, pictures, Graph API."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from instagram_simulator.control.conditions import Conditions
from instagram_simulator.control.media import Media
from instagram_simulator.control.messages import Messages
from instagram_simulator.control.people import People
from instagram_simulator.control.requests import ERRORS
from instagram_simulator.control.state import State
from instagram_simulator.graph.endpoint import Graph

from .core import Core
from .guard import Guard
from .page import page

STATIC = Path(__file__).parent / "static"


def simulator_app(core: Core) -> Starlette:
    """Return the app for one world; the Graph API is what no other route is."""
    media = Media(core)
    rooms = (State(core), People(core), Messages(core), Conditions(core), media)
    control = [route for room in rooms for route in room.routes()]
    guarded = [Middleware(Guard)]
    return Starlette(
        routes=[
            Route("/", page, middleware=guarded),
            Mount("/static", StaticFiles(directory=STATIC), middleware=guarded),
            Route("/_sim/media/{name}", media.serve, name="media"),
            Mount("/_sim", routes=control, middleware=guarded),
            Route("/{path:path}", Graph(core), methods=["GET", "POST", "DELETE"]),
        ],
        exception_handlers=ERRORS,
    )
