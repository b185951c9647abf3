"""An agent that does what it is told: real HTTP in every protocol that the service speaks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.service import WITHIN

AGENT_KERNEL_PATH = "/api/v1/chat"
OPENAI_PATH = "/chat/completions"


@dataclass(frozen=True)
class Question:
    """One request, in the protocol that its *path* tells."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """What the person said."""
        if self.path.endswith(OPENAI_PATH):
            return self.body["messages"][-1]["content"]
        return self.body["prompt" if self.path == AGENT_KERNEL_PATH else "text"]

    def answered(self, text: str) -> web.Response:
        """Return *text* as the protocol wraps it."""
        if self.path.endswith(OPENAI_PATH):
            return web.json_response({"choices": [{"message": {"content": text}}]})
        field_name = "result" if self.path == AGENT_KERNEL_PATH else "reply"
        return web.json_response({field_name: text})


Act = Callable[[Question], Awaitable[web.StreamResponse]]


def says(text: str) -> Act:
    """Answer *text*."""

    async def act(question: Question) -> web.StreamResponse:
        return question.answered(text)

    return act


def sends(status: int, body: str, content_type: str = "text/html") -> Act:
    """Answer something that no protocol has."""

    async def act(_question: Question) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type=content_type)

    return act


@dataclass
class Hold:
    """Answer nothing until it is released, then *text*."""

    text: str = "At last, the answer"
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()

    async def __call__(self, question: Question) -> web.StreamResponse:
        await self.released.wait()
        return question.answered(self.text)


class ScriptedAgent:
    """Does what it was told to do next; without orders it repeats what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Question] = []
        self._script: deque[Act] = deque()
        self._news = asyncio.Condition()

    def will(self, *acts: Act) -> None:
        """Meet the next questions with *acts*, one each."""
        self._script.extend(acts)

    def forget(self) -> None:
        """Start anew, without orders or memory."""
        self.asked.clear()
        self._script.clear()

    async def until_asked(self, times: int = 1, within: float = WITHIN) -> Question:
        """Return the latest question once there were so many."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(self.asked) >= times)
            return self.asked[-1]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the question and act."""
        question = Question(request.path, dict(request.headers), await request.json())
        act = self._script.popleft() if self._script else says(f"You said: {question.text}")
        async with self._news:
            self.asked.append(question)
            self._news.notify_all()
        return await act(question)


@asynccontextmanager
async def scripted_agent() -> AsyncIterator[ScriptedAgent]:
    """Run an agent while the block does."""
    agent = ScriptedAgent()
    app = web.Application()
    app.router.add_post("/{path:.*}", agent.handle)
    async with TestServer(app, handler_cancellation=True, shutdown_timeout=0.1) as server:
        agent.url = str(server.make_url("")).rstrip("/")
        yield agent
