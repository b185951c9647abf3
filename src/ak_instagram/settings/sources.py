"""
Sources of raw values: the file, the environment above it, and the files of secrets.

dynaconf reads the file and lays the environment over it. Its own environment loader
stays unused, for it takes every value for TOML: the verify token `12e4` would become
a number. It gets the texts as they are, and each key's type says how it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynaconf import Dynaconf

from ak_instagram.masking import MASK, without_password

from . import messages
from .keys import FILE, PREFIX, Key, path_of, plain, variable
from .model import KEYS, SECTIONS

CONFIG = "AK_CONFIG"
DEFAULT = "default"
_WIDEST = 60  # characters of a value that is shown


@dataclass(frozen=True, slots=True)
class SourcedValue:
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


@dataclass(frozen=True, slots=True)
class RawValue:
    """A raw value: *where* it is in a problem's words, and whether it names a file."""

    raw: object = field(repr=False)
    where: str
    source: str
    names_file: bool = False

    def read(self, path: str, key: Key, problems: list[str]) -> SourcedValue:
        """Return the value that *key* has by it, unfit if it means none; see *problems* then."""
        try:
            raw = read_secret(Path(str(self.raw))) if self.names_file else self.raw
        except ValueError as reason:
            problems.append(messages.unreadable_secret(self.where, str(reason)))
            return SourcedValue(path, key, key.default, self.source, unfit=True)
        try:
            return SourcedValue(path, key, key.read(raw), self.source)
        except ValueError as reason:
            problems.append(messages.unfit(self.where, key, reason, raw))
            return SourcedValue(path, key, key.default, self.source, unfit=True)


def read_secret(file: Path) -> str:
    """Return what is in *file* without its last line breaks; `ValueError` if that is no secret."""
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as exc:
        raise ValueError(f"can't be read, {exc.strerror}") from None
    except ValueError:  # not UTF-8, or a null byte in the name
        raise ValueError("is not UTF-8") from None
    if not secret:
        raise ValueError("is empty")
    return secret


@dataclass(frozen=True, slots=True)
class Sources:
    """
    The raw values by section, and which of them the environment set.

    *sections* has lower-case names; those that aren't ours are in it too. *variables*
    are the paths that the environment set. *file* names the settings file; *complete*
    is false when it can't be read.
    """

    sections: Mapping[str, Any] = field(repr=False)
    variables: frozenset[str]
    file: str = ""
    complete: bool = True

    def raw_values(self, parent: str, key: Key, raws: Mapping[str, object]) -> list[RawValue]:
        """
        Return what *raws*, the values below *parent*, have for *key*, a value a spelling.

        The environment is above the file, however each spells the key.
        """
        names = [
            name
            for name in key.spellings
            if raws.get(name) is not None and (raws[name] != "" or key.empty)
        ]
        above = [name for name in names if self.is_in_environment(f"{parent}.{name}")]
        return [
            RawValue(
                raw=raws[name],
                where=messages.label(f"{parent}.{name}"),
                source=variable(f"{parent}.{name}") if above else self.file,
                names_file=name == key.last + FILE,
            )
            for name in above or names
        ]

    def is_in_environment(self, path: str) -> bool:
        """Whether a variable set *path* or something below it."""
        below = (f"{path}.", f"{path}[")
        return any(each == path or each.startswith(below) for each in self.variables)


def gather(environ: Mapping[str, str], config: Path | None, problems: list[str]) -> Sources:
    """Return what file and environment say; why the file can't be read goes to *problems*."""
    file = find_file(environ, config)
    layers, complete = _layers_of(), True
    if file is not None:
        try:
            layers = _read_file(file)
        except Exception as exc:  # noqa: BLE001 - a broken file breaks YAML and dynaconf in many ways
            problems.append(messages.unreadable_file(file, exc))
            complete = False
    starts = tuple(f"{section}." for section in SECTIONS)
    empty_counts = {key.name for key in KEYS if key.empty}
    ours = [
        name
        for name in environ
        if (path := path_of(name)).startswith(starts) and (environ[name] or path in empty_counts)
    ]
    for name in sorted(ours):  # a list before its items
        layers.set(name.removeprefix(PREFIX).lower(), environ[name], tomlfy=False)
    return Sources(
        sections={str(name).lower(): value for name, value in layers.as_dict().items()},
        variables=frozenset(path_of(name) for name in ours),
        file=str(file),
        complete=complete,
    )


def find_file(environ: Mapping[str, str], config: Path | None) -> Path | None:
    """Return *config* or the file that AK_CONFIG names, else ./config.yaml if it is there."""
    if config is not None:
        return config
    if environ.get(CONFIG):
        return Path(environ[CONFIG])
    return default if (default := Path("config.yaml")).exists() else None


def _read_file(path: Path) -> Dynaconf:
    """Return dynaconf with *path* loaded; raises whatever is wrong with the file."""
    path.read_bytes()  # dynaconf passes over a file that it can't read
    if path.suffix not in (".yaml", ".yml"):
        raise ValueError("its name must end in .yaml")
    layers = _layers_of(str(path.resolve()))
    layers.as_dict()  # dynaconf is lazy: this reads the file
    return layers


def _layers_of(*files: str) -> Dynaconf:
    """Return dynaconf reading *files* and nothing else: no `.env`, no variables, no casts."""
    return Dynaconf(
        settings_files=list(files),
        core_loaders=["YAML"],
        loaders=[],
        envvar_prefix=None,
        environments=False,
        load_dotenv=False,
        auto_cast=False,
        index_separator_for_dynaconf="___",
    )


def shown(found: SourcedValue) -> str:
    """Return the value of *found* in one line that is not too long and that others may see."""
    key, value = found.key, found.value
    if not value and isinstance(value, (str, tuple, dict, type(None))):
        return "empty" if found.is_set else "not set"
    if found.path == "store.url":
        text = without_password(value)
    elif found.path == "agent.url":
        before, mark, _ = value.partition("?")  # after which there may be a key
        text = f"{before}?{MASK}" if mark else value
    elif (key.secret or found.path == "agent.request") and value != key.default:
        return f"set ({len(value)} {'characters' if isinstance(value, str) else 'values'})"
    else:
        text = plain(value)
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 2]} …"
