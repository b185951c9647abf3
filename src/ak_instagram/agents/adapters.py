"""
The table of adapters: an adapter is a module and its row here.

A row says what the adapter needs of the settings, so that `settings` can tell what is
missing without importing the adapter and the HTTP client with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from ak_instagram.settings.validate import Adapter

OPENAI_URL = "https://api.openai.com/v1"


def is_openai(url: str | None) -> bool:
    """Return whether *url* leads to OpenAI itself, not to a server that speaks like it."""
    return urlsplit(url or "").hostname == urlsplit(OPENAI_URL).hostname


def openai_needs(url: str | None) -> Mapping[str, str]:
    """Return what OpenAI at *url* needs: itself a key, a compatible server a model's name."""
    if is_openai(url):
        return {"agent.api_key": "set it, or OPENAI_API_KEY"}
    return {"agent.model": "set one that the server has"}


ADAPTERS: Mapping[str, Adapter] = {
    "agentkernel": Adapter(
        "ak_instagram.agents.agentkernel:AgentKernel",
        needs=lambda _url: {
            "agent.url": "set the server's root, for example http://localhost:8080"
        },
        implied_by="agent.url",
        speaks_to="an Agent Kernel server",
    ),
    "openai-chat": Adapter(
        "ak_instagram.agents.openai_chat:OpenAIChat",
        needs=openai_needs,
        url=OPENAI_URL,
        api_key="OPENAI_API_KEY",
        implied_by="OPENAI_API_KEY",
        speaks_to="OpenAI",
        stands_in_for=("openai-responses",),
    ),
    "http": Adapter(
        "ak_instagram.agents.http:HttpAgent",
        needs=lambda _url: {"agent.url": "set the endpoint, for example http://localhost:9000/ask"},
    ),
    "echo": Adapter("ak_instagram.agents.echo:Echo"),
}
