"""Which adapter speaks to the agent, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from . import problems as say
from .adapters import ADAPTERS, CHOICES, Adapter, is_openai, no_adapter
from .reading import Found, Given, Values, read_given

OPENAI_KEY = "OPENAI_API_KEY"
_OPENAI_KEY_FILE = f"{OPENAI_KEY}_FILE"


def complete_agent(values: Values, environ: Mapping[str, str], problems: list[str]) -> Values:
    """Return *values* with the adapter inferred and what it fills in; it says what it lacks."""
    adapter = _infer(values, environ)
    if not adapter.is_set:
        problems.append(_undecided())
    wanted = _wanted(adapter, problems)
    values = {**values, "agent.adapter": adapter}
    if wanted.openai and not values["agent.api_key"].is_set:
        values["agent.api_key"] = _openai_key(values["agent.api_key"], environ, problems)
    if wanted.url and not values["agent.url"].is_set:
        values["agent.url"] = replace(values["agent.url"], value=wanted.url)
    problems += _lacking(adapter.value, wanted, values)
    return values


def _infer(values: Values, environ: Mapping[str, str]) -> Found:
    """Return the adapter that was set, else the one that other settings speak for."""
    adapter = values["agent.adapter"]
    if adapter.is_set:
        return adapter
    if values["agent.url"].is_set:
        return replace(adapter, value="agentkernel", source="inferred from agent.url")
    if _openai_keys(environ):
        return replace(adapter, value="openai-chat", source=f"inferred from {OPENAI_KEY}")
    return adapter


def _undecided() -> str:
    where = say.label("agent.adapter")
    ways = f"agent.url for an Agent Kernel server, {OPENAI_KEY} for OpenAI"
    fix = f"set {ways}, or agent.adapter to one of {CHOICES}"
    return f"{where}: is not set and can't be inferred; {fix}"


def _wanted(adapter: Found, problems: list[str]) -> Adapter:
    """Return what *adapter* wants: nothing when it is the user's own or none at all."""
    name = adapter.value or ""
    if name and name not in ADAPTERS and not re.fullmatch(r"[\w.]+:[\w.]+", name):
        problems.append(f"{say.label('agent.adapter')}: {no_adapter(name)}")
    return ADAPTERS.get(name, Adapter())


def _openai_keys(environ: Mapping[str, str]) -> list[str]:
    """Return which of OpenAI's own variables are set."""
    return [name for name in (OPENAI_KEY, _OPENAI_KEY_FILE) if environ.get(name)]


def _openai_key(api_key: Found, environ: Mapping[str, str], problems: list[str]) -> Found:
    """Return *api_key* from OpenAI's own variables if one is set."""
    names = _openai_keys(environ)
    if not names:
        return api_key
    if len(names) > 1:
        problems.append(say.several(names))
    given = Given(environ[names[0]], names[0], names[0], names[0] == _OPENAI_KEY_FILE)
    return read_given(api_key.path, api_key.key, given, problems)


def _lacking(name: str, wanted: Adapter, values: Values) -> list[str]:
    """Return a problem for each value that the adapter *name* needs and does not have."""
    needs = [*wanted.needs, *(_openai_needs(values["agent.url"].value) if wanted.openai else ())]
    return [
        say.missing(path, fix, f"and the adapter {name} needs it")
        for path, fix in needs
        if not values[path].is_set
    ]


def _openai_needs(url: str | None) -> list[tuple[str, str]]:
    """Return what OpenAI at *url* needs: itself a key, a compatible server a model's name."""
    if is_openai(url):
        return [("agent.api_key", f"set it, or {OPENAI_KEY}")]
    return [("agent.model", "set one that the server has")]
