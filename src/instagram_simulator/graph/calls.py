"""A call of the Graph API: which node and edge, by whom, with what."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from instagram_simulator.faults import Target
from instagram_simulator.values import Json

from .answers import GraphError

_VERSION = re.compile(r"v\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Call:
    """
    What was asked for: `{method} /{version}/{node}/{edge}`.

    *body* is the JSON of a POST, `{}` when there is none.
    """

    method: str
    path: str
    node: str
    edge: str
    query: Mapping[str, str]
    token: str
    body: Json

    @property
    def target(self) -> Target:
        """Which faults it may meet."""
        if self.method == "POST" and self.edge == "messages":
            return "action" if "sender_action" in self.body else "send"
        return "read"


async def read_call(request: Request) -> Call:
    """Return what *request* asks for; raise `GraphError` if it can't be read."""
    node, edge = _parts(request.url.path)
    query = dict(request.query_params)
    return Call(
        request.method,
        request.url.path,
        node,
        edge,
        query,
        _token(request, query),
        _json(await request.body()),
    )


def _parts(path: str) -> tuple[str, str]:
    """Return node and edge; the version may be left out, as Meta allows."""
    parts = path.strip("/").split("/")
    if _VERSION.fullmatch(parts[0]):
        parts = parts[1:]
    if not 1 <= len(parts) <= 2 or not parts[0]:
        raise GraphError(2500, None, "Unknown path components")
    return parts[0], parts[1] if len(parts) == 2 else ""


def _token(request: Request, query: Mapping[str, str]) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else query.get("access_token", "")


def _json(body: bytes) -> Json:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        raise GraphError(100, None, "The body is not JSON") from None
    if not isinstance(value, dict):
        raise GraphError(100, None, "The body is not an object")
    return value
