"""The agents' adapters as far as settings go: which there are and what each needs."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import urlsplit

OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Adapter:
    """
    What an adapter wants of the settings.

    *needs* are keys with what to do when one is missing. *url* is used when
    `agent.url` is not set. *openai* says that it takes OPENAI_API_KEY.
    """

    needs: tuple[tuple[str, str], ...] = ()
    url: str | None = None
    openai: bool = False


ADAPTERS = {
    "agentkernel": Adapter(
        needs=(("agent.url", "set the server's root, for example http://localhost:8080"),),
    ),
    "openai-chat": Adapter(url=OPENAI_URL, openai=True),
    "http": Adapter(
        needs=(("agent.url", "set the endpoint, for example http://localhost:9000/ask"),)
    ),
    "echo": Adapter(),
}

PLANNED = ("openai-responses",)
CHOICES = f"{', '.join(ADAPTERS)} or module:object"


def no_adapter(name: str) -> str:
    """Say that there is no adapter *name*, in this version or at all, and what to use."""
    if name in PLANNED:
        return f"{name} is not part of this version yet; use openai-chat"
    nearest = get_close_matches(name, ADAPTERS, n=1, cutoff=0.5)
    fix = f"did you mean {nearest[0]}?" if nearest else f"use {CHOICES}"
    return f"is not an adapter that exists; {fix}"


def is_openai(url: str | None) -> bool:
    """Return whether *url* leads to OpenAI itself, not to a server that speaks like it."""
    return urlsplit(url or "").hostname == urlsplit(OPENAI_URL).hostname
