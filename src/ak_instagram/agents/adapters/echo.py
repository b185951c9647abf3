"""An agent that repeats what it is told: to see the service work without any agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ak_instagram.agents.agent import Part, Text, Turn, prompt
from ak_instagram.settings.model import AgentSettings

if TYPE_CHECKING:
    import aiohttp


class Echo:
    """Answers with the person's own words."""

    history = 0

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        """Needs neither; every adapter is made from the same two."""

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the turn's text; an attachment is a labelled line."""
        yield Text(prompt(turn))


class FixedReply:
    """Answers every turn with `agent.instructions`, as if they were the answer: for the demo."""

    history = 0

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        self._reply = settings.instructions or ""

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the same text whatever *turn* says."""
        yield Text(self._reply)
