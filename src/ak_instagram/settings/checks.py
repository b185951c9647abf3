"""What a value must fulfil beyond its kind: each check raises a `ValueError` that says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from sqlalchemy import make_url

Check: TypeAlias = Callable[[Any], None]

# What the query of a PostgreSQL URL may name: what the driver takes as text, and libpq's `sslmode`.
POSTGRES_OPTIONS = {"sslmode", "ssl", "host", "user", "password", "database", "passfile"}
POSTGRES_OPTIONS |= {"service", "servicefile", "target_session_attrs", "krbsrvname", "gsslib"}
_TLS_FILES = {"sslrootcert", "sslcert", "sslkey", "sslcrl"}  # the driver takes them from variables


class Unfit(ValueError):
    """A problem that is shown with its own *example*, or with none, in place of the key's."""

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
