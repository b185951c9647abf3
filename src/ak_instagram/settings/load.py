"""
Loading: raw values are read key by key, checked together, and become the settings.

Problems are gathered on the way, so that all of them are told at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ak_instagram.errors import SettingsError

from . import messages
from .keys import Key
from .logins import complete_logins
from .model import (
    ACCOUNT_KEYS,
    SECTION_KEYS,
    SECTIONS,
    Account,
    AgentSettings,
    InstagramSettings,
    SenderSettings,
    ServerSettings,
    Settings,
    StoreSettings,
)
from .sources import SourcedValue, Sources, gather
from .validate import Adapters, Values, broken_rules, complete_agent, unknown_names


def load(
    environ: Mapping[str, str] | None = None,
    config: Path | None = None,
    *,
    adapters: Adapters,
) -> Settings:
    """
    Return the settings that *environ* (the process's own) and the file *config* give.

    Without *config* the file is the one that AK_CONFIG names, else `./config.yaml` if
    there is one. *adapters* are those that `agent.adapter` may name: `agents.registry`.
    Raises `SettingsError` with every problem that there is.
    """
    values = read(environ, config, adapters)
    others = {
        name: declared(**_section_of(values, name))
        for name, declared in SECTIONS.items()
        if name != "instagram"
    }
    return Settings(instagram=_instagram_of(values), **others)


def explain(
    environ: Mapping[str, str] | None = None,
    config: Path | None = None,
    *,
    adapters: Adapters,
) -> list[SourcedValue]:
    """Return every key with its value and where that comes from; see `load`."""
    return list(read(environ, config, adapters).values())


def load_app_secrets(
    environ: Mapping[str, str] | None = None, config: Path | None = None
) -> tuple[str, ...]:
    """Return the app secrets, whatever else a start would lack; see `load`."""
    problems: list[str] = []
    values, _ = read_keys(os.environ if environ is None else environ, config, problems)
    if problems:
        raise SettingsError(problems)
    return _instagram_of(values).app_secrets


def load_store(
    environ: Mapping[str, str] | None = None, config: Path | None = None
) -> StoreSettings:
    """Return the store's settings, whatever else a start would lack; see `load`."""
    return StoreSettings(**_load_section("store", environ, config))


def load_sender(
    environ: Mapping[str, str] | None = None, config: Path | None = None
) -> SenderSettings:
    """Return the sender's settings, whatever else a start would lack; see `load`."""
    return SenderSettings(**_load_section("sender", environ, config))


def _load_section(
    name: str, environ: Mapping[str, str] | None, config: Path | None
) -> dict[str, Any]:
    """Return the values of one section; `SettingsError` if any key is wrong."""
    problems: list[str] = []
    values, _ = read_keys(os.environ if environ is None else environ, config, problems)
    if problems:
        raise SettingsError(problems)
    return _section_of(values, name)


def load_agent(
    environ: Mapping[str, str] | None = None,
    config: Path | None = None,
    *,
    adapters: Adapters,
) -> tuple[AgentSettings, ServerSettings, str]:
    """
    Return the settings of the agent and of the way out, and the name of the agent to ask.

    Whatever else a start would lack is passed over; see `load`.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    values, sources = read_keys(environ, config, problems)
    if sources.complete:
        values = complete_agent(values, environ, adapters, problems)
    if problems:
        raise SettingsError(problems)
    return (
        AgentSettings(**_section_of(values, "agent")),
        ServerSettings(**_section_of(values, "server")),
        values["instagram.agent"].value,
    )


def read(environ: Mapping[str, str] | None, config: Path | None, adapters: Adapters) -> Values:
    """Return every key's value, with the agent completed; `SettingsError` if any is wrong."""
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    values, sources = read_keys(environ, config, problems)
    if sources.complete:  # else what seems to be missing may be in the file
        problems += broken_rules(values)
        values = complete_logins(values, problems)
        values = complete_agent(values, environ, adapters, problems)
    if problems:
        raise SettingsError(problems)
    return values


def read_keys(
    environ: Mapping[str, str], config: Path | None, problems: list[str]
) -> tuple[Values, Sources]:
    """Return each key by itself, those of every account too, and where the keys come from."""
    sources = gather(environ, config, problems)
    problems += unknown_names(sources.sections, environ)
    values: Values = {}
    for section, keys in SECTION_KEYS.items():
        values |= _read_section(sources, section, keys, sources.sections.get(section), problems)
    for index, account in enumerate(values["instagram.accounts"].value):
        parent = f"instagram.accounts[{index}]"
        values |= _read_section(sources, parent, ACCOUNT_KEYS, account, problems)
    return values, sources


def _read_section(
    sources: Sources, parent: str, keys: Iterable[Key], raw: object, problems: list[str]
) -> Values:
    """Return the values of *keys* below *parent*, of which *raw* is the raw mapping."""
    if raw is not None and not isinstance(raw, Mapping):
        problems.append(messages.not_a_mapping(parent))
        raw = None
    raws = {str(name).lower(): value for name, value in (raw or {}).items()}
    known = {name for key in keys for name in key.spellings}
    names = [key.last for key in keys]
    problems += [messages.unknown(f"{parent}.{name}", names) for name in raws if name not in known]
    values: Values = {}
    for key in keys:
        path = f"{parent}.{key.last}"
        given = sources.raw_values(parent, key, raws)
        if len(given) > 1:
            problems.append(messages.several([each.where for each in given]))
        default = SourcedValue(path, key, key.default)
        values[path] = given[0].read(path, key, problems) if given else default
    return values


def _section_of(values: Values, parent: str) -> dict[str, Any]:
    """Return the values of the keys right below *parent* by their last names."""
    return {
        each.key.last: each.value
        for path, each in values.items()
        if path == f"{parent}.{each.key.last}"
    }


def _instagram_of(values: Values) -> InstagramSettings:
    """Return Meta's side with its further accounts."""
    main = _section_of(values, "instagram")
    accounts = tuple(
        Account(**_section_of(values, f"instagram.accounts[{index}]"))
        for index in range(len(main["accounts"]))
    )
    graph_url = (main["graph_url"] or "").rstrip("/")
    return InstagramSettings(**main | {"accounts": accounts, "graph_url": graph_url})
