"""
Value types: how the raw value of a key is read, and the checks of what has been read.

A raw value is text when it comes from the environment and whatever YAML made of it when
it comes from the file; both spellings give the same value. Readers and checks raise a
`ValueError` that says what the value must be, without quoting it.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import NoneType
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from sqlalchemy import make_url

# --- reading ----------------------------------------------------------------

_FLAGS = {"true": True, "yes": True, "on": True, "1": True}
_FLAGS |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of value: its *name* in the documentation, and what reads a raw value."""

    name: str
    read: Callable[[Any], Any]


def read_text(raw: object) -> str:
    """Return text; YAML's numbers and flags are none."""
    if isinstance(raw, str):
        return raw
    raise ValueError("must be text: put it in quotes, or YAML reads something else")


def read_texts(raw: object) -> tuple[str, ...]:
    """Return texts, separated by commas or in a list, without the empty ones."""
    parts = raw if isinstance(raw, list) else read_text(raw).split(",")
    return tuple(part for part in (read_text(part).strip() for part in parts) if part)


def read_phrases(raw: object) -> tuple[str, ...]:
    """Return texts that may have commas: of a list, in a variable as JSON, or one a line."""
    value = _parse_text(raw) if isinstance(raw, str) and raw.lstrip().startswith("[") else raw
    phrases = value if isinstance(value, list) else read_text(raw).splitlines()
    return tuple(phrase for phrase in (read_text(each).strip() for each in phrases) if phrase)


def read_digits(raw: object) -> str:
    """Return an id; YAML makes a number of one, which is as good as text."""
    if isinstance(raw, (str, int)) and re.fullmatch(r"[0-9]+", str(raw).strip()):
        return str(raw).strip()
    raise ValueError("must be a number of digits alone, not a name")


def read_integer(raw: object) -> int:
    """Return a whole number; a flag is none."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", raw):
        return int(raw)
    raise ValueError("must be a whole number")


def read_number(raw: object) -> float:
    """Return a finite number; a flag is none."""
    try:
        number = math.nan if isinstance(raw, bool) else float(raw)  # type: ignore[arg-type] # the except says so
    except (TypeError, ValueError):
        number = math.nan
    if math.isfinite(number):
        return number
    raise ValueError("must be a number")


def read_flag(raw: object) -> bool:
    """Return true or false, as people write them."""
    flag = raw if isinstance(raw, bool) else _FLAGS.get(str(raw).strip().lower())
    if flag is None:
        raise ValueError("must be true or false")
    return flag


def read_mapping(raw: object) -> dict[str, Any]:
    """Return an object of names and values; as text JSON or TOML."""
    value = _parse_text(raw) if isinstance(raw, str) else raw
    if isinstance(value, dict):
        return {str(name): item for name, item in value.items()}
    raise ValueError("must be an object of names and values, in a variable as JSON or TOML")


def read_headers(raw: object) -> dict[str, str]:
    """Return an object whose values are text."""
    value = read_mapping(raw)
    if all(isinstance(item, str) for item in value.values()):
        return value
    raise ValueError("must have text for every header: put the values in quotes")


def read_outcomes(raw: object) -> dict[str, str]:
    """Return an object whose names are conditions, in their order, and whose values are words."""
    value = read_mapping(raw)
    if all(isinstance(item, str) for item in value.values()):
        return value
    raise ValueError("must have an outcome in words for every condition")


def read_statuses(raw: object) -> tuple[str, ...]:
    """Return HTTP statuses, each `429` or `5xx` for a hundred of them."""
    listed = _parse_text(raw) if isinstance(raw, str) and raw.lstrip().startswith("[") else raw
    each = listed if isinstance(listed, list) else str(listed).split(",")
    statuses = tuple(str(it).strip().lower() for it in each)
    if all(re.fullmatch(r"[345](\d\d|xx)", it) for it in statuses):
        return statuses
    raise ValueError("must be statuses of errors, separated by commas")


TOOLS = (
    "send_quick_replies",
    "send_buttons",
    "send_cards",
    "send_image",
    "react",
    "hand_off",
    "stay_silent",
)
"""The tools that a model can be offered; `agents.tools` has what they do."""


def read_tools(raw: object) -> tuple[str, ...]:
    """Return names of tools, of a list or separated by commas; all of them for `all`."""
    listed = _parse_text(raw) if isinstance(raw, str) and raw.lstrip().startswith("[") else raw
    each = listed if isinstance(listed, list) else str(listed).split(",")
    names = tuple(filter(None, (str(it).strip().lower() for it in each)))
    if names in (("all",), ("true",)):
        return TOOLS
    if names in (("none",), ("false",)):
        return ()
    if all(name in TOOLS for name in names):
        return names
    raise ValueError(f"must be all, or some of {', '.join(TOOLS)}")


def read_mappings(raw: object) -> tuple[dict[str, Any], ...]:
    """Return a list of objects; as text JSON or TOML."""
    value = _parse_text(raw) if isinstance(raw, str) else raw
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return tuple(value)
    raise ValueError("must be a list of objects, in a variable as JSON or TOML")


def _parse_text(raw: str) -> object:
    """Return what *raw* says as JSON or as a TOML value, or `None`."""
    try:
        return json.loads(raw)
    except ValueError:
        pass
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return None


def choice(*options: str) -> ValueType:
    """Return the type whose values are *options*, in any case."""

    def read(raw: object) -> str:
        if isinstance(raw, str) and raw.strip().lower() in options:
            return raw.strip().lower()
        raise ValueError(f"must be one of {', '.join(options)}")

    return ValueType(" \\| ".join(options), read)


DIGITS = ValueType("digits", read_digits)
OUTCOMES = ValueType("object of outcomes", read_outcomes)
STATUSES = ValueType("statuses, separated by commas", read_statuses)
TOOL_NAMES = ValueType("all, or tools, separated by commas", read_tools)
PHRASES = ValueType("list of texts", read_phrases)
MAPPINGS = ValueType("list of objects", read_mappings)
_BY_HINT: dict[object, ValueType] = {
    str: ValueType("text", read_text),
    tuple[str, ...]: ValueType("texts, separated by commas", read_texts),
    int: ValueType("whole number", read_integer),
    float: ValueType("number", read_number),
    bool: ValueType("true \\| false", read_flag),
    Mapping[str, object]: ValueType("object", read_mapping),
    Mapping[str, str]: ValueType("object of texts", read_headers),
}


def value_type_of(hint: object) -> ValueType:
    """Return how values of a field with the type *hint* (or `None`) are read."""
    if get_origin(hint) is Literal:
        return choice(*get_args(hint))
    if NoneType in get_args(hint):
        [hint] = set(get_args(hint)) - {NoneType}
    return _BY_HINT[hint]


# --- checks -----------------------------------------------------------------

# What the query of a PostgreSQL URL may name: what the driver takes as text, and libpq's `sslmode`.
POSTGRES_OPTIONS = {"sslmode", "ssl", "host", "user", "password", "database", "passfile"}
POSTGRES_OPTIONS |= {"service", "servicefile", "target_session_attrs", "krbsrvname", "gsslib"}
_TLS_FILES = {"sslrootcert", "sslcert", "sslkey", "sslcrl"}  # the driver takes them from variables


MAX_TITLE = 20  # characters that Instagram shows of a choice


class Unfit(ValueError):
    """A problem that is shown with its own *example*, or with none, in place of the key's."""

    def __init__(self, reason: str, example: str = "") -> None:
        super().__init__(reason)
        self.example = example


def at_least(least: float, why: str = "") -> Callable[[float], None]:
    """Check that a number is *least* or more; *why* is told to whoever sets less."""

    def check(value: float) -> None:
        if value < least:
            raise ValueError(f"must be at least {least:g}{f' ({why})' if why else ''}")

    return check


def between(least: int, most: int) -> Callable[[float], None]:
    """Check that a number lies between *least* and *most*, both allowed."""

    def check(value: float) -> None:
        if not least <= value <= most:
            raise ValueError(f"must be from {least} to {most}")

    return check


def above_zero(value: float) -> None:
    """Check that a number is more than nothing."""
    if value <= 0:
        raise ValueError("must be more than 0")


def credential(value: str) -> None:
    """Check what Meta or a provider made: visible ASCII without the quotes of a shell."""
    _refuse_quotes(value)
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("must have no blank, line break or non-ASCII character: paste it again")


def credentials(values: tuple[str, ...]) -> None:
    """Check each of several credentials, around all of which there may be one pair of quotes."""
    for value in filter(None, (",".join(values), *values)):
        credential(value)


def passphrase(value: str) -> None:
    """Check what a person typed here and into Meta's form: ASCII, with blanks only inside."""
    _refuse_quotes(value)
    if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
        raise ValueError(
            "must have no blank at its ends, line break or non-ASCII character: type it again"
        )


def _refuse_quotes(value: str) -> None:
    if value[0] in "\"'" and value[0] == value[-1]:
        raise ValueError("must have no quotes around it: `docker --env-file` keeps them")


def two_words(values: tuple[str, ...]) -> None:
    """Check that there are two texts, each of which fits a button."""
    if len(values) != 2 or any(len(it) > MAX_TITLE for it in values):
        raise ValueError(f"must be two texts of at most {MAX_TITLE} characters")


def graph_version(value: str) -> None:
    """Check a Graph API version."""
    if not re.fullmatch(r"v[0-9]+\.[0-9]+", value):
        raise ValueError("must be a Graph API version")


def http_url(value: str) -> None:
    """Check that a URL can be asked over HTTP."""
    try:
        url = urlsplit(value)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        usable = False
    if not usable or re.search(r"\s", value):
        raise ValueError("must be a URL that starts with http:// or https://")
    if "@" in url.netloc:
        raise ValueError("must hold no user and password, which would be seen in logs")
    if "#" in value:
        raise ValueError("must have no # part, which is never sent: a # that is meant is %23")


def store_url(value: str) -> None:
    """Check that a URL names a SQLite file, or a PostgreSQL database whose driver is there."""
    if value.startswith("postgresql://"):
        if find_spec("asyncpg") is None:
            raise Unfit("needs the driver of PostgreSQL: pip install 'ak-instagram[postgres]'")
        if value.count("@") > 1 or "@" in value.partition("?")[2]:
            # Whoever splits it at the first one takes the rest of a password for the host.
            raise Unfit(
                "has an @ in a user or password, which is written %40",
                example="postgresql://user:p%40ss@host:5432/database",
            )
        _postgres_url(value)
        return
    if value.startswith(("postgresql+", "postgres:")):
        raise Unfit(
            "must start with postgresql:// to name a PostgreSQL database",
            example="postgresql://user:password@host:5432/database",
        )
    path = value.removeprefix("sqlite:///")
    if path in (value, "", ":memory:"):
        raise ValueError("must be sqlite:/// and the path of a file, which outlives the process")


def _postgres_url(value: str) -> None:
    """Check that the store's driver can be told all that a PostgreSQL URL says."""
    try:
        url = make_url(value)
        if url.port is not None:
            between(1, 65535)(url.port)
    except ValueError:
        raise Unfit("has a port that is no number from 1 to 65535") from None
    for name in url.query:
        if name not in POSTGRES_OPTIONS:
            fix = f"set PG{name.upper()} instead" if name in _TLS_FILES else "take it out"
            raise Unfit(f"has ?{name}, which the driver does not know: {fix}")
