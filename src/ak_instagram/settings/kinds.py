"""
The kinds of value that a key can have, and how each is read.

A raw value is text when it comes from the environment and whatever YAML made of
it when it comes from the file; both spellings give the same value.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_FLAGS = {"true": True, "yes": True, "on": True, "1": True}
_FLAGS |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of value; *name* is how the documentation calls it.

    *read* turns a raw value into the typed one, or raises a `ValueError` that says
    what the value must be, without quoting it.
    """

    name: str
    read: Callable[[Any], Any]


def _text(raw: object) -> str:
    if isinstance(raw, str):
        return raw
    raise ValueError("must be text: put it in quotes, or YAML reads something else")


def _texts(raw: object) -> tuple[str, ...]:
    """Read texts separated by commas, or a list of them."""
    parts = raw if isinstance(raw, list) else _text(raw).split(",")
    return tuple(part for part in (_text(part).strip() for part in parts) if part)


def _digits(raw: object) -> str:
    """Read an id: YAML makes a number of it, which is as good as text."""
    if isinstance(raw, (str, int)) and re.fullmatch(r"[0-9]+", str(raw).strip()):
        return str(raw).strip()
    raise ValueError("must be a number of digits alone, not a name")


def _integer(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", raw):
        return int(raw)
    raise ValueError("must be a whole number")


def _number(raw: object) -> float:
    try:
        number = math.nan if isinstance(raw, bool) else float(raw)  # type: ignore[arg-type] # the except says so
    except (TypeError, ValueError):
        number = math.nan
    if math.isfinite(number):
        return number
    raise ValueError("must be a number")


def _flag(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    try:
        return _FLAGS[str(raw).strip().lower()]
    except KeyError:
        raise ValueError("must be true or false") from None


def _mapping(raw: object) -> dict[str, Any]:
    value = _parsed(raw) if isinstance(raw, str) else raw
    if isinstance(value, dict):
        return {str(name): item for name, item in value.items()}
    raise ValueError("must be an object of names and values, in a variable as JSON or TOML")


def _headers(raw: object) -> dict[str, str]:
    value = _mapping(raw)
    if all(isinstance(item, str) for item in value.values()):
        return value
    raise ValueError("must have text for every header: put the values in quotes")


def _mappings(raw: object) -> tuple[dict[str, Any], ...]:
    value = _parsed(raw) if isinstance(raw, str) else raw
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return tuple(value)
    raise ValueError("must be a list of objects, in a variable as JSON or TOML")


def _parsed(raw: str) -> object:
    """Return what *raw* says as JSON or as a TOML value, or `None`."""
    try:
        return json.loads(raw)
    except ValueError:
        pass
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return None


def choice(*options: str) -> Kind:
    """Return the kind whose values are *options*, in any case."""

    def read(raw: object) -> str:
        if isinstance(raw, str) and raw.strip().lower() in options:
            return raw.strip().lower()
        raise ValueError(f"must be one of {', '.join(options)}")

    return Kind(" \\| ".join(options), read)


TEXT = Kind("text", _text)
TEXTS = Kind("texts, separated by commas", _texts)
DIGITS = Kind("digits", _digits)
INTEGER = Kind("whole number", _integer)
NUMBER = Kind("number", _number)
FLAG = Kind("true \\| false", _flag)
MAPPING = Kind("object", _mapping)
HEADERS = Kind("object of texts", _headers)
MAPPINGS = Kind("list of objects", _mappings)
