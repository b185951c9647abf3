"""
JSON as fast as orjson is, and as tolerant as the standard library.

orjson takes a third of the time. It refuses NaN, half a surrogate pair and integers of more than
64 bits, all of which Meta or an agent may send: what it refuses, `json` is asked about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson


def load(text: bytes | str) -> Any:  # noqa: ANN401 - this is where JSON enters
    """
    Return what *text* says.

    Raises `ValueError` for what is no JSON in UTF-8 or is nested too deeply; its message says
    which of the two, and neither it nor its context holds anything of *text*.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text if isinstance(text, str) else text.decode())
    except RecursionError:
        reason = "nested too deeply"
    except ValueError:
        reason = "not JSON"
    raise ValueError(reason)


def load_object(text: bytes | str) -> dict[str, object] | None:
    """Return the JSON object that *text* is, `None` if it is none or can't be read."""
    try:
        loaded = load(text)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None


def dump(value: object, default: Callable[[Any], object] | None = None) -> bytes:
    """
    Return *value* as compact JSON in UTF-8; half a surrogate pair is escaped.

    *default* returns what stands for a value that JSON has no form for; without one that
    raises `TypeError`.
    """
    try:
        return orjson.dumps(value, default)
    except TypeError:
        return json.dumps(value, default=default, separators=(",", ":")).encode()
