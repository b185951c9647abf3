"""Reading requests of the control API, and what is said about those that can't be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from instagram_simulator.values import Json
from instagram_simulator.verification import VerificationFailed
from instagram_simulator.world import Unknown

T = TypeVar("T")


class BadRequest(ValueError):
    """The request can't be meant; the message says why."""


async def json_of(request: Request) -> Json:
    """
    Return the JSON object in *request*, `{}` if it has no body.

    Anything but `application/json` is refused, for browsers let foreign pages post the rest.
    """
    body = await request.body()
    if not body:
        return {}
    if not request.headers.get("content-type", "").startswith("application/json"):
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


async def _answer_unknown(request: Request, exc: Exception) -> Response:
    return JSONResponse({"error": str(exc)}, HTTPStatus.NOT_FOUND)


async def _answer_bad(request: Request, exc: Exception) -> Response:
    return JSONResponse({"error": str(exc)}, HTTPStatus.BAD_REQUEST)


ERRORS = {Unknown: _answer_unknown, ValueError: _answer_bad, VerificationFailed: _answer_bad}
