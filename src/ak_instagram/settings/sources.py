"""
Where raw values come from: the file, and the environment above it.

dynaconf reads the file and lays the environment over it. Its own environment loader
stays unused, for it takes every value for TOML: the verify token `12e4` would become
a number. It gets the texts as they are, and the table says how each is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynaconf import Dynaconf

from . import problems as say
from .keys import PREFIX, path_of
from .table import KEYS, SECTIONS

CONFIG = "AK_CONFIG"
_DEFAULT_FILE = Path("config.yaml")
_STARTS = tuple(f"{section}." for section in SECTIONS)
_EMPTY_COUNTS = {key.name for key in KEYS if key.empty}


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


def gather(environ: Mapping[str, str], config: Path | None, problems: list[str]) -> Sources:
    """Return what file and environment say; why the file can't be read goes to *problems*."""
    file = _find_file(environ, config)
    layers, complete = _read_file(file, problems)
    ours = _ours(environ)
    for name in sorted(ours):  # a list before its items
        layers.set(name.removeprefix(PREFIX).lower(), environ[name], tomlfy=False)
    return Sources(
        sections={str(name).lower(): value for name, value in layers.as_dict().items()},
        variables=frozenset(path_of(name) for name in ours),
        file=str(file),
        complete=complete,
    )


def _ours(environ: Mapping[str, str]) -> list[str]:
    """Return the variables that set a key in one of our sections, the empty ones aside."""
    named = (name for name in environ if path_of(name).startswith(_STARTS))
    return [name for name in named if environ[name] or path_of(name) in _EMPTY_COUNTS]


def _find_file(environ: Mapping[str, str], config: Path | None) -> Path | None:
    """Return the file that was named, else the default one if it is there."""
    if config is not None:
        return config
    if environ.get(CONFIG):
        return Path(environ[CONFIG])
    return _DEFAULT_FILE if _DEFAULT_FILE.exists() else None


def _read_file(path: Path | None, problems: list[str]) -> tuple[Dynaconf, bool]:
    """Return dynaconf with *path* loaded, and whether that went well."""
    if path is None:
        return _dynaconf(), True
    try:
        _refuse_unreadable(path)
        layers = _dynaconf(str(path.resolve()))
        layers.as_dict()  # dynaconf is lazy: this reads the file
    except Exception as exc:  # noqa: BLE001 - a broken file breaks YAML and dynaconf in many ways
        problems.append(say.unreadable_file(path, exc))
        return _dynaconf(), False
    return layers, True


def _refuse_unreadable(path: Path) -> None:
    """Raise what dynaconf passes over: no file, no permission, no YAML by its name."""
    path.read_bytes()
    if path.suffix not in (".yaml", ".yml"):
        raise ValueError("its name must end in .yaml")


def _dynaconf(*files: str) -> Dynaconf:
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
