"""
What can be set: `config.yaml` under the environment makes frozen, typed values.

`load` is all that the service needs, `explain` is for people who ask what it sees, and
`load_app_secrets` for those who sign a webhook of their own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ak_instagram.errors import SettingsError

from .agent import complete_agent
from .building import app_secrets, build
from .reading import Found, Reader, Values
from .rules import broken_rules
from .sources import Sources, gather
from .strays import find_strays
from .values import Settings

__all__ = ["Found", "Settings", "explain", "load", "load_app_secrets"]


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


def load_app_secrets(
    environ: Mapping[str, str] | None = None, config: Path | None = None
) -> tuple[str, ...]:
    """Return the app secrets, whatever else a start would lack; see `load`."""
    problems: list[str] = []
    values, _ = _read_keys(os.environ if environ is None else environ, config, problems)
    return app_secrets(_sound(values, problems))


def _read(environ: Mapping[str, str], config: Path | None) -> Values:
    """Return what a start would have, completed."""
    problems: list[str] = []
    values, sources = _read_keys(environ, config, problems)
    if sources.complete:  # else what seems to be missing may be in the file
        problems += broken_rules(values)
        values = complete_agent(values, environ, problems)
    return _sound(values, problems)


def _read_keys(
    environ: Mapping[str, str], config: Path | None, problems: list[str]
) -> tuple[Values, Sources]:
    """Return each key by itself, and where the keys come from."""
    sources = gather(environ, config, problems)
    problems += find_strays(sources, environ)
    return Reader(sources, problems).read_all(), sources


def _sound(values: Values, problems: list[str]) -> Values:
    """Return *values*; raise `SettingsError` if there are *problems*."""
    if problems:
        raise SettingsError(problems)
    return values
