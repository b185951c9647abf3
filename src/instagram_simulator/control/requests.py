"""Requests of the control API: their JSON, the parts they reach, and their refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from instagram_simulator.engine import Engine
from instagram_simulator.same_origin import Handler
from instagram_simulator.state import Unknown
from instagram_simulator.user_actions import UserActions
from instagram_simulator.values import Json
from instagram_simulator.webhooks.post import VerificationFailed

T = TypeVar("T")

ENGINE = web.AppKey("engine", Engine)
PHONES = web.AppKey("phones", UserActions)


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the control API; its *path* is below `/_sim`."""

    method: str
    path: str
    handler: Handler


class BadRequest(ValueError):
    """The request can't be meant; the message says why."""


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer `{"error"}` with 404 for things that do not exist, and 400 for what can't be meant."""
    try:
        return await handler(request)
    except Unknown as exc:
        return web.json_response({"error": str(exc)}, status=404)
    except (ValueError, VerificationFailed) as exc:
        return web.json_response({"error": str(exc)}, status=400)


async def json_of(request: web.Request) -> Json:
    """
    Return the JSON object in *request*, `{}` if it has no body.

    Anything but `application/json` is refused, for browsers let foreign pages post the rest.
    """
    body = await request.read()
    if not body:
        return {}
    if request.content_type != "application/json":
        raise BadRequest("send application/json")
    try:
        value = json.loads(body)
    except ValueError:
        raise BadRequest("the body is not JSON") from None
    if not isinstance(value, dict):
        raise BadRequest("the body is not an object")
    return value


def text_in(body: Mapping[str, object], name: str) -> str:
    """Return the member *name*, which has to be a text with something in it."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadRequest(f"{name} must be a text")
    return value


def made_of(kind: Callable[..., T], body: Json) -> T:
    """Return `kind(**body)`; whatever it does not take is the caller's mistake."""
    try:
        return kind(**body)
    except (TypeError, ValueError) as exc:
        raise BadRequest(str(exc)) from exc
