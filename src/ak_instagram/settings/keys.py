"""
Keys: one declaration of a setting, and the names that it has in the file and the environment.

A setting is a field of one of the classes in `model`, made by `setting`. Its type says how
it is read; default, check and sentence stand beside it. `keys_of` makes the keys of a class.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeAlias, get_type_hints

from .value_types import ValueType, value_type_of

PREFIX = "AK_"
FILE = "_file"  # after a secret's name: where to read it

Check: TypeAlias = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Key:
    """
    A setting as people write it.

    *name* is its path (`server.port`), *sentence* its meaning. *required* is the fix when
    it is missing; empty for keys that may be. A *secret* is never shown and may be read
    from a file. *empty* says that an empty value has a meaning of its own; else it counts
    as not set. *alias* is another last name that the key answers to. *shipped* is what the
    files that come along set, where the default is kept for those who rely on it.
    """

    name: str
    value_type: ValueType
    default: Any
    sentence: str
    check: Check | None = None
    required: str = ""
    secret: bool = False
    empty: bool = False
    alias: str = ""
    shipped: str = ""
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
        value = self.value_type.read(raw)
        if self.check and value != "":
            self.check(value)
        return value


def setting(
    default: Any,  # noqa: ANN401 - of whatever type the field is
    sentence: str,
    *,
    value_type: ValueType | None = None,
    secret: bool = False,
    **key: Any,  # noqa: ANN401 - fields of `Key`
) -> Any:  # noqa: ANN401 - as `dataclasses.field` itself
    """
    Return a dataclass field that declares a setting; *key* are further fields of `Key`.

    `MISSING` as *default* is for what the settings always have once they are loaded.
    *value_type* is needed where the field's type does not say it.
    """
    key |= {
        "default": None if default is MISSING else default,
        "sentence": sentence,
        "secret": secret,
    }
    metadata = {"key": key, "value_type": value_type}
    if isinstance(default, dict):
        return field(default_factory=default.copy, repr=not secret, metadata=metadata)
    return field(default=default, repr=not secret, metadata=metadata)


def keys_of(section: type, parent: str = "") -> tuple[Key, ...]:
    """Return the keys that the fields of *section* declare, named below *parent*."""
    hints = get_type_hints(section)
    return tuple(
        Key(
            name=f"{parent}.{each.name}".lstrip("."),
            value_type=each.metadata["value_type"] or value_type_of(hints[each.name]),
            **each.metadata["key"],
        )
        for each in fields(section)
    )


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
    if isinstance(value, tuple | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)
