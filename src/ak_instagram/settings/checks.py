"""What a value must fulfil beyond its kind: each check raises a `ValueError` that says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Check: TypeAlias = Callable[[Any], None]


class Unfit(ValueError):
    """A reason that the key's own example does not answer; *example* does, if there is one."""

    def __init__(self, reason: str, example: str = "") -> None:
        super().__init__(reason)
        self.example = example


def at_least(least: float, why: str = "") -> Check:
    """Check that a number is *least* or more; *why* is told to whoever sets less."""

    def check(value: float) -> None:
        if value < least:
            raise ValueError(f"must be at least {least:g}{f' ({why})' if why else ''}")

    return check


def between(least: int, most: int) -> Check:
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
    """Check what travels in an HTTP header: visible ASCII without the quotes of a shell."""
    if value[0] in "\"'" and value[0] == value[-1]:
        raise ValueError("must have no quotes around it: `docker --env-file` keeps them")
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("must have no blank, line break or non-ASCII character: paste it again")


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
        return
    if value.startswith(("postgresql+", "postgres:")):
        raise Unfit(
            "must start with postgresql:// to name a PostgreSQL database",
            example="postgresql://user:password@host:5432/database",
        )
    path = value.removeprefix("sqlite:///")
    if path in (value, "", ":memory:"):
        raise ValueError("must be sqlite:/// and the path of a file, which outlives the process")
