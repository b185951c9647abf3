"""
Agents by name: an adapter of ours, one that an installed distribution adds, or `module:object`.

An adapter is imported when it is looked up, so that checking the settings imports no
more than what they name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from ak_instagram.errors import SettingsError
from ak_instagram.settings.model import AgentSettings

from .agent import Agent, Needs
from .media import with_media

if TYPE_CHECKING:
    import aiohttp

AgentFactory: TypeAlias = "Callable[[AgentSettings, aiohttp.ClientSession], Agent]"

ADAPTERS: Mapping[str, str] = {
    "agentkernel": "ak_instagram.agents.adapters.agentkernel:AgentKernel",
    "openai-chat": "ak_instagram.agents.adapters.openai_chat:OpenAIChat",
    "openai-responses": "ak_instagram.agents.adapters.openai_responses:OpenAIResponses",
    "a2a": "ak_instagram.agents.adapters.a2a:A2A",
    "ag-ui": "ak_instagram.agents.adapters.ag_ui.adapter:AgUi",
    "langgraph": "ak_instagram.agents.adapters.langgraph:LangGraph",
    "dify": "ak_instagram.agents.adapters.dify:Dify",
    "n8n": "ak_instagram.agents.adapters.n8n:N8n",
    "flowise": "ak_instagram.agents.adapters.flowise:Flowise",
    "http": "ak_instagram.agents.adapters.http.adapter:HttpAgent",
    "http-callback": "ak_instagram.agents.adapters.http.callback:HttpCallback",
    "echo": "ak_instagram.agents.adapters.echo:Echo",
}
IMPLIED: Mapping[str, tuple[str, str]] = {
    "agent.url": ("agentkernel", "an Agent Kernel server"),
    "OPENAI_API_KEY": ("openai-chat", "OpenAI"),
}
"""The settings that imply an adapter when none is set, the first one first, and what they ask."""
GROUP = "ak_instagram.agents"
"""The entry-point group in which a distribution names its adapters."""
_OBJECT = re.compile(r"[\w.]+:[\w.]+")

# --- looking up -------------------------------------------------------------


def installed() -> dict[str, str]:
    """Return the adapters of installed distributions, ours aside: `module:object` by name."""
    from importlib.metadata import entry_points  # reads about every distribution there is

    found = entry_points(group=GROUP)
    return {it.name: it.value.partition("[")[0].strip() for it in found if it.name not in ADAPTERS}


def choices() -> str:
    """Return all that `agent.adapter` may be, in words."""
    return f"{', '.join([*ADAPTERS, *sorted(installed())])} or module:object"


def is_adapter(name: str) -> bool:
    """Return whether *name* is an adapter's, or may be a plug-in's `module:object`."""
    return name in ADAPTERS or bool(_OBJECT.fullmatch(name)) or name in installed()


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
    return with_media(agent, settings, session)


def load_factory(adapter: str) -> AgentFactory:
    """Return what makes the agent; `SettingsError` if there is no such thing to call."""
    is_name = adapter not in ADAPTERS and ":" not in adapter
    target = installed().get(adapter, "") if is_name else ADAPTERS.get(adapter, adapter)
    module, colon, name = target.partition(":")
    if not colon:
        raise SettingsError([f"agent.adapter: {no_adapter(adapter)}"])
    try:
        factory: AgentFactory = getattr(import_module(module), name)
    except Exception as exc:  # whatever a plug-in does when it is imported
        fix = f"`{target}` of its distribution" if is_name else "is its folder on PYTHONPATH?"
        problem = f"can't load `{adapter}` ({exc}); {fix}"
        raise SettingsError([f"agent.adapter: {problem}"]) from exc
    if not callable(factory):
        raise SettingsError([f"agent.adapter: `{adapter}` is not a class or function"])
    return factory


def adapter_needs(adapter: str) -> Needs:
    """
    Return what an *adapter* with a name requires of the settings.

    That is nothing for a plug-in's `module:object` and one that does not exist. Raises
    `SettingsError` if it can't be loaded.
    """
    if adapter not in ADAPTERS and (not adapter or ":" in adapter or adapter not in installed()):
        return Needs()
    needs: Needs = getattr(load_factory(adapter), "needs", Needs())
    return needs


def no_adapter(name: str) -> str:
    """Say that there is no adapter *name*, and what to use."""
    nearest = get_close_matches(name, [*ADAPTERS, *installed()], n=1, cutoff=0.5)
    fix = f"did you mean {nearest[0]}?" if nearest else f"use {choices()}"
    return f"is not an adapter that exists; {fix}"
