"""From `agent.adapter` to the agent: a name we know, or a plug-in's `module:object`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias

import aiohttp

from ak_instagram.errors import SettingsError
from ak_instagram.settings.model import AgentSettings
from ak_instagram.settings.validate import no_adapter

from .adapters import ADAPTERS
from .agent import Agent
from .limits import Limited

AgentFactory: TypeAlias = Callable[[AgentSettings, aiohttp.ClientSession], Agent]


def build_agent(settings: AgentSettings, session: aiohttp.ClientSession) -> Agent:
    """
    Return the agent that *settings* describe, kept within their limits.

    Opens nothing. Raises `SettingsError` when there is no such adapter, it lacks a setting,
    or a plug-in fails.
    """
    factory = load_factory(settings.adapter)
    try:
        agent = factory(settings, session)
    except SettingsError:
        raise
    except Exception as exc:  # whatever a plug-in does when it is called
        problem = f"`{settings.adapter}` makes no agent: {type(exc).__name__}: {exc}"
        raise SettingsError([f"agent.adapter: {problem}"]) from exc
    if missing := [name for name in ("answer", "history") if not hasattr(agent, name)]:
        problem = f"what `{settings.adapter}` makes has no {' and no '.join(missing)}"
        raise SettingsError([f"agent.adapter: {problem}; see docs/agents.md"])
    return Limited(agent, settings.max_answer, settings.timeout)


def load_factory(adapter: str) -> AgentFactory:
    """Return what makes the agent; `SettingsError` if there is no such thing to call."""
    place = ADAPTERS[adapter].factory if adapter in ADAPTERS else adapter
    module, colon, name = place.partition(":")
    if not colon:
        raise SettingsError([no_adapter(adapter, ADAPTERS)])
    try:
        factory: AgentFactory = getattr(import_module(module), name)
    except Exception as exc:  # whatever a plug-in does when it is imported
        problem = f"can't load `{adapter}` ({exc}); is its folder on PYTHONPATH?"
        raise SettingsError([f"agent.adapter: {problem}"]) from exc
    if not callable(factory):
        raise SettingsError([f"agent.adapter: `{adapter}` is not a class or function"])
    return factory
