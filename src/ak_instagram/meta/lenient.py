"""
Lenient access to JSON values that ought to be right and may be anything.

Text that comes out can be encoded as UTF-8 and stored: JSON's escapes can spell lone
surrogates and NUL, which an encoder and PostgreSQL refuse. This is the one place where what
Meta sends is cleaned of them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TypeAlias

from ak_instagram.text import sanitize

JsonObject: TypeAlias = dict[str, object]

# The forms of a flag that is set; `value in FLAG_SET` tells.
FLAG_SET = (True, "true")

# Meta's ids have up to 20 digits, a mid has some 164 characters. The bound keeps an id
# within what a database index can hold.
_MAX_ID = 512

# As milliseconds the years 1973 to 5138; what is smaller can only be seconds.
_FIRST_MILLIS = 10**11
_LAST_MILLIS = 10**14

# What was parsed from JSON can't contain itself, so that needs no check.
_canonical = json.JSONEncoder(separators=(",", ":"), check_circular=False, sort_keys=True).encode


def dump_canonical(value: object) -> str:
    """Return *value* as JSON that is the same for any order of its members."""
    return _canonical(value)


def as_object(value: object) -> JsonObject:
    """Return *value* if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """Return *value* if it is a list, none of it for null, else a list of just it."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def as_text(value: object) -> str | None:
    """Return a string, or an integer's digits; what can't be stored becomes U+FFFD."""
    if isinstance(value, str):
        # Ids and most texts are plain: asking takes a tenth of cleaning.
        return value if value.isascii() and "\0" not in value else sanitize(value)
    return str(value) if type(value) is int else None


def as_id(value: object) -> str | None:
    """Return an id; `None` for what can't be one, such as a float, which has lost digits."""
    text = as_text(value)
    return text if text and len(text) <= _MAX_ID else None


def id_of(value: object) -> str | None:
    """Return the id of the object *value*, such as a sender; `None` if it has none."""
    return as_id(value.get("id")) if isinstance(value, dict) else None


def as_number(value: object) -> int | None:
    """Return a whole number, also from a string of digits."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or not isinstance(value, (str, float)):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def as_millis(value: object) -> int | None:
    """Return a point in time in UTC milliseconds, whether it came as such or in seconds."""
    number = value if type(value) is int else as_number(value)
    if number is None:
        return None
    if number < _FIRST_MILLIS:
        number *= 1000
    return number if _FIRST_MILLIS <= number < _LAST_MILLIS else None


def iso_millis(value: object) -> int | None:
    """Return the Graph API's `2026-08-31T14:30:00+0000` in UTC milliseconds."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return round(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
