"""What a key of the settings is, and what it is called in the file and the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .checks import Check
from .kinds import Kind

PREFIX = "AK_"
FILE = "_file"  # after a secret's name: where to read it


@dataclass(frozen=True, slots=True)
class Key:
    """
    One row of the table of settings.

    *name* is its path (`server.port`). *required* is what to do when it is missing;
    empty for keys that may be. *secret* values are never shown and may be read from
    a file. *empty* says that an empty value has a meaning of its own; else it counts
    as not set. *alias* is another last name that the key answers to.
    """

    name: str
    kind: Kind
    help: str
    default: Any = None
    check: Check | None = None
    required: str = ""
    secret: bool = False
    empty: bool = False
    alias: str = ""
    example: str = ""

    @property
    def last(self) -> str:
        """The name inside its section."""
        return self.name.rpartition(".")[2]

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every last name under which the key can be set."""
        file = self.last + FILE if self.secret else ""
        return tuple(name for name in (self.last, self.alias, file) if name)

    def read(self, raw: object) -> object:
        """Return the value of *raw*, or raise a `ValueError` that says what it must be."""
        value = self.kind.read(raw)
        if self.check and value != "":
            self.check(value)
        return value


def variable(path: str) -> str:
    """Return the environment variable of *path*, `a.b[0].c` → `AK_A__B___0__C`."""
    return PREFIX + re.sub(r"\[(\d+)\]", r"___\1", path).replace(".", "__").upper()


def path_of(name: str) -> str:
    """Return the path that the environment variable *name* sets, empty if it isn't ours."""
    path = name.removeprefix(PREFIX).lower() if name.startswith(PREFIX) else ""
    return re.sub(r"___(\d+)", r"[\1]", path).replace("__", ".")


def plain(value: object) -> str:
    """Return *value* as a person would write it in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)
