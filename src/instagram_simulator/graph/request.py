"""Requests of the Graph API: node, edge, query, token and body, read from HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from instagram_simulator.faults import Target
from instagram_simulator.values import Json

from .responses import GraphRefusal

_VERSION = re.compile(r"v\d+\.\d+")


@dataclass(frozen=True, slots=True)
class GraphCall:
    """
    One call: `{method} /{version}/{node}/{edge}`.

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
        """The target that faults know it by."""
        if self.method == "POST" and self.edge == "messages":
            return "action" if "sender_action" in self.body else "send"
        return "read"


async def read_call(request: web.Request) -> GraphCall:
    """Return the call that *request* makes; raise `GraphRefusal` if it can't be read."""
    node, edge = node_and_edge(request.path)
    query = dict(request.query)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = query.get("access_token", "")
    body = body_of(await request.read())
    return GraphCall(request.method, request.path, node, edge, query, token, body)


def node_and_edge(path: str) -> tuple[str, str]:
    """Return node and edge of *path*; the version may be left out, as Meta allows."""
    parts = path.strip("/").split("/")
    if _VERSION.fullmatch(parts[0]):
        parts = parts[1:]
    if not 1 <= len(parts) <= 2 or not parts[0]:
        raise GraphRefusal(2500, None, "Unknown path components")
    return parts[0], parts[1] if len(parts) == 2 else ""


def body_of(content: bytes) -> Json:
    """Return the JSON object that *content* is, `{}` if there is none."""
    if not content:
        return {}
    try:
        value = json.loads(content)
    except ValueError:
        raise GraphRefusal(100, None, "The body is not JSON") from None
    if not isinstance(value, dict):
        raise GraphRefusal(100, None, "The body is not an object")
    return value
