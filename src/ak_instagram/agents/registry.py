"""
Agents by name: an adapter of ours or a plug-in's `module:object`.

An adapter is imported when it is looked up, so that checking the settings imports no
more than what they name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from ak_instagram.errors import SettingsError
from ak_instagram.settings.model import AgentSettings

from .agent import Agent, Needs

if TYPE_CHECKING:
    import aiohttp

AgentFactory: TypeAlias = "Callable[[AgentSettings, aiohttp.ClientSession], Agent]"

ADAPTERS: Mapping[str, str] = {
    "agentkernel": "ak_instagram.agents.agentkernel:AgentKernel",
    "openai-chat": "ak_instagram.agents.openai_chat:OpenAIChat",
    "openai-responses": "ak_instagram.agents.openai_responses:OpenAIResponses",
    "a2a": "ak_instagram.agents.a2a:A2A",
    "http": "ak_instagram.agents.http:HttpAgent",
    "echo": "ak_instagram.agents.echo:Echo",
}
IMPLIED: Mapping[str, tuple[str, str]] = {
    "agent.url": ("agentkernel", "an Agent Kernel server"),
    "OPENAI_API_KEY": ("openai-chat", "OpenAI"),
}
"""The settings that imply an adapter when none is set, the first one first, and what they ask."""
CHOICES = f"{', '.join(ADAPTERS)} or module:object"

# --- looking up -------------------------------------------------------------


def build_agent(settings: AgentSettings, session: aiohttp.ClientSession) -> Agent:
    """
    Return the agent that *settings* describe.

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
    return agent


def load_factory(adapter: str) -> AgentFactory:
    """Return what makes the agent; `SettingsError` if there is no such thing to call."""
    module, colon, name = ADAPTERS.get(adapter, adapter).partition(":")
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


def adapter_needs(adapter: str) -> Needs:
    """Return what our *adapter* requires of the settings; nothing for a plug-in or unknown one."""
    if adapter not in ADAPTERS:
        return Needs()
    needs: Needs = getattr(load_factory(adapter), "needs", Needs())
    return needs


def no_adapter(name: str) -> str:
    """Say that there is no adapter *name*, and what to use."""
    nearest = get_close_matches(name, ADAPTERS, n=1, cutoff=0.5)
    fix = f"did you mean {nearest[0]}?" if nearest else f"use {CHOICES}"
    return f"is not an adapter that exists; {fix}"
