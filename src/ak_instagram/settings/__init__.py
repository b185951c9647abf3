"""
What can be set: `config.yaml` under the environment makes frozen, typed values.

`load` is all that the service needs, `explain` is for people who ask what it sees.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ak_instagram.errors import SettingsError

from .agent import complete_agent
from .building import build
from .reading import Found, Reader, Values
from .rules import broken_rules
from .sources import gather
from .strays import find_strays
from .values import Settings

__all__ = ["Found", "Settings", "explain", "load"]


def load(environ: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """
    Return the settings that *environ* (the process's own) and the file *config* give.

    Without *config* the file is the one that AK_CONFIG names, else `./config.yaml` if
    there is one. Raises `SettingsError` with every problem that there is.
    """
    return build(_read(os.environ if environ is None else environ, config))


def explain(environ: Mapping[str, str] | None = None, config: Path | None = None) -> list[Found]:
    """Return every key with its value and where that comes from; see `load`."""
    return list(_read(os.environ if environ is None else environ, config).values())


def _read(environ: Mapping[str, str], config: Path | None) -> Values:
    problems: list[str] = []
    sources = gather(environ, config, problems)
    problems += find_strays(sources, environ)
    values = Reader(sources, problems).read_all()
    if sources.complete:  # else what seems to be missing may be in the file
        problems += broken_rules(values)
        values = complete_agent(values, environ, problems)
    if problems:
        raise SettingsError(problems)
    return values
