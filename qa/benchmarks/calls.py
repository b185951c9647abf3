"""The calls that an answer takes, one after another, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

HEADERS = {"Authorization": "Bearer token"}


@dataclass(frozen=True, slots=True)
class Calls:
    """Whom to call: the Graph API, and the agent."""

    session: aiohttp.ClientSession
    graph_url: str
    agent_url: str

    async def answer(self, contact: str) -> None:
        """Mark as seen, show the typing indicator, ask the agent, and send what it says."""
        messages = f"{self.graph_url}/v21.0/me/messages"
        to = {"recipient": {"id": contact}}
        await self._call(messages, {**to, "sender_action": "mark_seen"})
        await self._call(messages, {**to, "sender_action": "typing_on"})
        said = await self._call(self.agent_url, {"session": contact, "text": "Is it?"})
        await self._call(messages, {**to, "message": {"text": said["reply"]}})

    async def _call(self, url: str, body: object) -> dict[str, str]:
        async with self.session.post(url, json=body, headers=HEADERS) as response:
            answer: dict[str, str] = await response.json()
            return answer
