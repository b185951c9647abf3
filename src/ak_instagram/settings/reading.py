"""Raw values and the table of settings make typed values, each with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from . import problems as say
from .keys import FILE, Key, variable
from .sources import Sources
from .table import ACCOUNT_KEYS, SECTIONS, keys_of

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Found:
    """
    The value of the key at *path*; *source* is the variable or file that set it.

    A key that could not be read is *unfit*: it counts as set and has its default.
    """

    path: str
    key: Key
    value: Any = field(repr=False)
    source: str = DEFAULT
    unfit: bool = False

    @property
    def is_set(self) -> bool:
        """Whether the key was set at all."""
        return self.source != DEFAULT


Values: TypeAlias = dict[str, Found]


@dataclass(frozen=True, slots=True)
class Given:
    """A raw value: *where* it is in a problem's words, and whether it names a file."""

    raw: object = field(repr=False)
    where: str
    source: str
    names_file: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the table's keys out of *sources* and notes what is wrong in *problems*."""

    sources: Sources
    problems: list[str]

    def read_all(self) -> Values:
        """Return the value of every key in the table, and of every key of every account."""
        values: Values = {}
        for section in SECTIONS:
            values |= self._read(section, keys_of(section), self.sources.sections.get(section))
        for index, account in enumerate(values["instagram.accounts"].value):
            values |= self._read(f"instagram.accounts[{index}]", ACCOUNT_KEYS, account)
        return values

    def _read(self, parent: str, keys: tuple[Key, ...], raw: object) -> Values:
        """Return the values of *keys* below *parent*, of which *raw* is the raw mapping."""
        if raw is not None and not isinstance(raw, Mapping):
            self.problems.append(say.not_a_mapping(parent))
            raw = None
        raws = {str(name).lower(): value for name, value in (raw or {}).items()}
        self._refuse_unknown(parent, keys, raws)
        found = (self._read_key(parent, key, raws) for key in keys)
        return {each.path: each for each in found}

    def _refuse_unknown(self, parent: str, keys: tuple[Key, ...], raws: dict[str, Any]) -> None:
        known = {name for key in keys for name in key.spellings}
        names = [key.last for key in keys]
        self.problems.extend(
            say.unknown(f"{parent}.{name}", names) for name in raws if name not in known
        )

    def _read_key(self, parent: str, key: Key, raws: dict[str, Any]) -> Found:
        """Return the value of *key*: its default when none of its spellings is set."""
        path = f"{parent}.{key.last}"
        given = self._given(parent, key, raws)
        if not given:
            return Found(path, key, key.default)
        if len(given) > 1:
            self.problems.append(say.several([each.where for each in given]))
        return read_given(path, key, given[0], self.problems)

    def _given(self, parent: str, key: Key, raws: dict[str, Any]) -> list[Given]:
        """Return what is given for *key*; the environment is above the file, however spelt."""
        names = [name for name in key.spellings if not _says_nothing(raws.get(name), key)]
        above = [name for name in names if self._is_from_environment(f"{parent}.{name}")]
        return [
            Given(
                raw=raws[name],
                where=say.label(f"{parent}.{name}"),
                source=variable(f"{parent}.{name}") if above else self.sources.file,
                names_file=name == key.last + FILE,
            )
            for name in above or names
        ]

    def _is_from_environment(self, path: str) -> bool:
        """Whether a variable set *path* or something below it."""
        below = (f"{path}.", f"{path}[")
        return any(each == path or each.startswith(below) for each in self.sources.variables)


def read_given(path: str, key: Key, given: Given, problems: list[str]) -> Found:
    """Return the value of *key* that *given* means; unfit when it means none."""
    raw = _read_secret(given, problems) if given.names_file else given.raw
    if raw is None:
        return Found(path, key, key.default, given.source, unfit=True)
    try:
        return Found(path, key, key.read(raw), given.source)
    except ValueError as reason:
        problems.append(say.unfit(given.where, key, reason, raw))
        return Found(path, key, key.default, given.source, unfit=True)


def _read_secret(given: Given, problems: list[str]) -> str | None:
    """Return what is in the file that *given* names, without its last line break."""
    try:
        secret = Path(str(given.raw)).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as exc:
        reason = f"can't be read, {exc.strerror}"
    except ValueError:  # not UTF-8, or a null byte in the name
        reason = "is not UTF-8"
    else:
        if secret:
            return secret
        reason = "is empty"
    problems.append(say.unreadable_secret(given.where, reason))
    return None


def _says_nothing(raw: object, key: Key) -> bool:
    """Whether *raw* sets nothing: null, or empty where that has no meaning of its own."""
    return raw is None or (raw == "" and not key.empty)
