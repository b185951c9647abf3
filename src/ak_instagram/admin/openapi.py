"""
The admin API's description (OpenAPI 3.1), made of the same declarations as its routes.

A value's schema is made of its dataclass. Ids are strings in JSON: JavaScript has no integers
beyond 2**53.
"""

from __future__ import annotations

import re
import types
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from starlette.requests import Request

from ak_instagram import __version__

Schema: TypeAlias = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
CURSOR: Schema = {"type": "string", "maxLength": 400}
MAX_LIMIT = 200
LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50}
_ID = "id"  # the field of a database's number
_SAFE = 2**53 - 1


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """
    One operation of the API.

    *handle* answers a value that *result*, a JSON schema, describes. *query* has the schemas of
    its parameters by their names, *body* that of what it takes. Who may only read is refused one
    that *changes* something.
    """

    method: Literal["GET", "POST"]
    path: str
    name: str
    summary: str
    handle: Callable[[Request], Awaitable[object]]
    result: Schema
    query: Mapping[str, Schema] | None = None
    body: Schema | None = None
    changes: bool = False
    finds: bool = False  # what it is about may be missing: 404
    refuses: bool = False  # it may be right and still not be done now: 409


class WrongRequest(Exception):
    """The request can't be done as it is; *status* says why to programs, the text to people."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def document(routes: Sequence[ApiRoute]) -> dict[str, Any]:
    """Return the description of *routes*, below `/admin/api`."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"/admin/api{route.path}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ak-instagram admin API",
            "version": __version__,
            "description": "See and steer the service. Times are UTC milliseconds.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`admin.token`, or `admin.read_token` for reading alone.",
                }
            },
            "schemas": {"Error": _ERROR},
        },
    }


_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}


def _operation(route: ApiRoute) -> dict[str, Any]:
    in_path: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    in_query = [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in (route.query or {}).items()
    ]
    failures = {
        400: "The request is wrong; the text says what of it.",
        401: "The token is missing or wrong.",
        405: "There is no such method here.",
        429: "Too many wrong tokens came from this address.",
        503: "The store does not answer.",
    }
    if route.changes:
        failures[403] = "The token may only read, or a browser sent this from elsewhere."
    if route.finds:
        failures[404] = "There is no such thing."
    if route.refuses:
        failures[409] = "It can't be done now; the text says why."
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {
            "200": {
                "description": "Done.",
                "content": {"application/json": {"schema": route.result}},
            },
            **{
                str(status): {"description": text, "content": error}
                for status, text in sorted(failures.items())
            },
        },
    }
    if in_path or in_query:
        operation["parameters"] = in_path + in_query
    if route.body is not None:
        content = {"application/json": {"schema": route.body}}
        operation["requestBody"] = {"required": False, "content": content}
    return operation


def listed(name: str, of: type) -> Schema:
    """Return the schema of a page: a list of values *of* a class, and where the next begins."""
    return object_of({name: {"type": "array", "items": schema_of(of)}, "next": _OPTIONAL_TEXT})


_OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}


def object_of(properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that has all of *properties*."""
    return {"type": "object", "required": [*properties], "properties": properties}


def schema_of(of: type) -> Schema:
    """Return the schema of the dataclass *of*, as `as_json` writes its values."""
    hints = get_type_hints(of)
    return object_of(
        {it.name: TEXT if it.name == _ID else _schema(hints[it.name]) for it in fields(of)}
    )


def _schema(hint: Any) -> Schema:  # noqa: ANN401 - a type as Python has it
    if get_origin(hint) in (Union, types.UnionType):
        [inner] = [_schema(it) for it in get_args(hint) if it is not type(None)]
        return {**inner, "type": [inner["type"], "null"]}
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"type": "string", "enum": [it.value for it in hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        return schema_of(hint)
    known = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return {"type": known[hint]} if isinstance(hint, type) else {}


def as_json(value: object) -> object:
    """Return *value* as JSON has it: dataclasses are objects, and numbers too big are texts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            it.name: str(found) if it.name == _ID else as_json(found)
            for it in fields(value)
            for found in (getattr(value, it.name),)
        }
    if isinstance(value, dict):
        return {name: as_json(it) for name, it in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(it) for it in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return str(value)
    return value
