"""From `agent.adapter` to the agent: a name we know, or a plug-in's `module:object`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TypeAlias

import aiohttp

from ak_instagram.errors import SettingsError
from ak_instagram.settings import values
from ak_instagram.settings.adapters import no_adapter

from .agent import Agent
from .agentkernel import AgentKernel
from .echo import Echo
from .http import HttpAgent
from .limits import Limited
from .openai_chat import OpenAIChat

AgentFactory: TypeAlias = Callable[[values.Agent, aiohttp.ClientSession], Agent]

ADAPTERS: Mapping[str, AgentFactory] = {
    "echo": Echo,
    "agentkernel": AgentKernel,
    "openai-chat": OpenAIChat,
    "http": HttpAgent,
}


def build_agent(settings: values.Agent, session: aiohttp.ClientSession) -> Agent:
    """
    Return the agent that *settings* describe, kept within their limits.

    Opens nothing. Raises `SettingsError` when there is no such adapter, it lacks a setting,
    or a plug-in fails.
    """
    factory = load_factory(settings.adapter)
    agent = _make(factory, settings, session)
    if missing := [name for name in ("answer", "history") if not hasattr(agent, name)]:
        problem = f"what `{settings.adapter}` makes has no {' and no '.join(missing)}"
        raise SettingsError([f"agent.adapter: {problem}; see docs/agents.md"])
    return Limited(agent, settings.max_answer, settings.timeout)


def _make(factory: AgentFactory, settings: values.Agent, session: aiohttp.ClientSession) -> Agent:
    try:
        return factory(settings, session)
    except SettingsError:
        raise
    except Exception as exc:  # whatever a plug-in does when it is called
        problem = f"`{settings.adapter}` makes no agent: {type(exc).__name__}: {exc}"
        raise SettingsError([f"agent.adapter: {problem}"]) from exc


def load_factory(adapter: str) -> AgentFactory:
    """Return what makes the agent; `SettingsError` if there is no such thing to call."""
    if known := ADAPTERS.get(adapter):
        return known
    module, colon, name = adapter.partition(":")
    if not colon:
        raise SettingsError([f"agent.adapter: {no_adapter(adapter)}"])
    try:
        factory: AgentFactory = getattr(import_module(module), name)
    except Exception as exc:  # whatever a plug-in does when it is imported
        problem = f"can't load `{adapter}` ({exc}); is its folder on PYTHONPATH?"
        raise SettingsError([f"agent.adapter: {problem}"]) from exc
    if not callable(factory):
        raise SettingsError([f"agent.adapter: `{adapter}` is not a class or function"])
    return factory
