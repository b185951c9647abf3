"""Requests of the Graph API: node, edge, parameters and secrets, read from HTTP."""

from __future__ import annotations

import ast
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, web

from instagram_simulator.faults import Target
from instagram_simulator.values import Json

from .responses import GraphRefusal

NEWEST_VERSION = "v27.0"
# The versions that have an end, oldest first (https://developers.facebook.com/docs/graph-api/changelog).
_ENDS = {
    "v20.0": datetime(2026, 9, 24, tzinfo=UTC),
    "v21.0": datetime(2027, 1, 21, tzinfo=UTC),
    "v22.0": datetime(2027, 5, 20, tzinfo=UTC),
    "v23.0": datetime(2027, 10, 8, tzinfo=UTC),
    "v24.0": datetime(2028, 2, 18, tzinfo=UTC),
    "v25.0": datetime(2028, 7, 29, tzinfo=UTC),
}
_FIRST_WITHOUT_END = "v26.0"
# Never in the journal, wherever they come.
SECRETS = frozenset({"access_token", "appsecret_proof", "client_secret"})
# Old abilities of the Graph API that change what a call is; new apps have none of them.
_NOT_SIMULATED = ("batch", "ids", "method", "include_headers", "callback")
_OBJECTS = frozenset({"recipient", "message", "payload", "reply_to", "thread_control"})
_VERSION = re.compile(r"v\d+\.\d+")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a multipart body."""

    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class GraphCall:
    """
    One call: `{method} {origin}/{version}/{node}/{edge}`.

    *query* and *body* are without secrets; a *body* is that of a form or of JSON. What is
    an object for the API is one here, also if it came as text.
    """

    method: str
    path: str
    origin: str
    version: str
    node: str
    edge: str
    query: Json
    body: Json
    secrets: Mapping[str, str]
    files: Mapping[str, UploadedFile] = field(default_factory=dict)

    @property
    def parameters(self) -> Json:
        """Query and body together, for Meta makes no difference."""
        return {**self.query, **self.body}

    @property
    def token(self) -> str:
        """The token, or nothing."""
        return self.secrets.get("access_token", "")

    @property
    def target(self) -> Target:
        """The target that faults know it by."""
        if self.method == "POST" and self.edge == "messages":
            return "action" if "sender_action" in self.parameters else "send"
        return "read"

    def check_proof(self, app_secret: str) -> None:
        """Raise if there is a proof of *app_secret*, and a wrong one."""
        proof = self.secrets.get("appsecret_proof")
        right = hmac.new(app_secret.encode(), self.token.encode(), hashlib.sha256).hexdigest()
        if proof is not None and not hmac.compare_digest(proof.encode(), right.encode()):
            raise GraphRefusal(100, None, "Invalid appsecret_proof provided in the API argument")


async def read_call(request: web.Request) -> GraphCall:
    """
    Return the call that *request* makes; raise `GraphRefusal` if it can't be read.

    The token is that of the header, the body or the query, in this order.
    """
    version, node, edge = version_node_and_edge(request.path)
    body, files = await body_of(request)
    query = nested(request.query.items())
    given = query | body
    for name in _NOT_SIMULATED:
        if name in given:
            raise GraphRefusal(100, None, f"The simulator does not have the parameter {name}")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    secrets = {name: str(given[name]) for name in SECRETS & given.keys()}
    if scheme.lower() == "bearer":
        secrets["access_token"] = token.strip()
    return GraphCall(
        request.method,
        request.path,
        f"{request.scheme}://{request.host}",
        version,
        node,
        edge,
        decoded(query),
        decoded(body),
        secrets,
        files,
    )


def served_version(asked: str, now: int) -> str:
    """
    Return the version by which a call of the version *asked* is served at *now* (UTC ms).

    One that has ended is not refused: the oldest living one serves it, without a word.
    """
    living = [each for each, end in _ENDS.items() if end.timestamp() * 1000 > now]
    oldest = living[0] if living else _FIRST_WITHOUT_END
    return max(asked, oldest, key=number_of)


def number_of(version: str) -> float:
    """Return the number that orders versions; each has one digit after the point."""
    return float(version.removeprefix("v"))


def version_node_and_edge(path: str) -> tuple[str, str, str]:
    """Return the parts of *path*; the version may be left out, as Meta allows."""
    parts = path.strip("/").split("/")
    version = parts.pop(0) if _VERSION.fullmatch(parts[0]) else NEWEST_VERSION
    if len(parts) > 2:
        raise GraphRefusal(2500, None, f"Unknown path components: /{'/'.join(parts[1:])}")
    node, edge = (*parts, "", "")[:2]
    return version, node, edge


async def body_of(request: web.Request) -> tuple[Json, Mapping[str, UploadedFile]]:
    """Return the fields of the body, JSON or a form of either sort, and the files in it."""
    if request.content_type == "multipart/form-data":
        return await multipart(request)
    content = await request.read()
    is_form = request.content_type == "application/x-www-form-urlencoded"
    if not is_form or content[:1] == b"{":  # curl calls whatever it is given a form
        return json_object(content), {}
    return nested(parse_qsl(content.decode(errors="replace"), keep_blank_values=True)), {}


async def multipart(request: web.Request) -> tuple[Json, Mapping[str, UploadedFile]]:
    """Return the fields and the files of a multipart body."""
    fields: list[tuple[str, str]] = []
    files: dict[str, UploadedFile] = {}
    try:
        # `request.multipart()` takes the app's lack of a limit for a limit of 0 bytes.
        async for part in MultipartReader(request.headers, request.content):
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            content = bytes(await part.read())
            if part.filename is None:
                fields.append((part.name, content.decode(errors="replace")))
            else:
                kind = part.headers.get("Content-Type", "application/octet-stream")
                files[part.name] = UploadedFile(kind.partition(";")[0].strip(), content)
    except ValueError:
        raise GraphRefusal(100, None, "The multipart body can't be read") from None
    return nested(fields), files


def json_object(content: bytes) -> Json:
    """Return the JSON object that *content* is, `{}` if there is none."""
    if not content:
        return {}
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise GraphRefusal(100, None, "The body is not JSON") from None
    if not isinstance(value, dict):
        raise GraphRefusal(100, None, "The body is not an object")
    return value


def nested(pairs: Iterable[tuple[str, str]]) -> Json:
    """Return *pairs* as an object; `message[text]` is the member `text` of `message`."""
    fields: Json = {}
    for name, value in pairs:
        first, *rest = name.partition("[")[0], *_BRACKETS.findall(name)
        inner = fields
        for key in (first, *rest)[:-1]:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise GraphRefusal(100, None, f"Param {first} is given twice, in different ways")
        inner[(first, *rest)[-1]] = value
    return {name: with_lists(value) for name, value in fields.items()}


def with_lists(value: object) -> object:
    """Return *value* with lists for the objects in it whose members are numbered."""
    if not isinstance(value, dict):
        return value
    members = {name: with_lists(each) for name, each in value.items()}
    is_list = bool(members) and all(name.isdecimal() for name in members)
    return list(members.values()) if is_list else members


def decoded(fields: Json) -> Json:
    """Return *fields* without secrets, with those that are objects for the API as such."""
    return {
        name: as_object(value) if name in _OBJECTS else value
        for name, value in fields.items()
        if name not in SECRETS
    }


def as_object(value: object) -> object:
    """
    Return the value that the text of *value* is, or *value* if that can't be read.

    Forms have objects as JSON; Meta's own examples write them with single quotes too.
    """
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    try:
        # By way of JSON, for it has neither sets nor bytes.
        return json.loads(json.dumps(ast.literal_eval(value)))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return value


def names_in(value: object) -> list[str]:
    """Return the names that a list, its JSON, or a text with commas has."""
    listed = as_object(value)
    if isinstance(listed, list):
        return [str(each) for each in listed]
    return [each.strip() for each in str(listed or "").split(",") if each.strip()]
