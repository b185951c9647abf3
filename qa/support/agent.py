"""A scripted agent: real HTTP in every protocol that the service speaks."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from qa.support.service import WITHIN
from qa.support.serving import serving

AGENT_KERNEL_PATH = "/api/v1/chat"
OPENAI_PATH = "/chat/completions"
RESPONSES_PATH = "/responses"
A2A_PATH = "/a2a"
A2A_CARD = {
    "name": "Scripted",
    "supportedInterfaces": [
        {"url": f"http://agent{A2A_PATH}", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    ],
}


@dataclass(frozen=True)
class Question:
    """One request, in the protocol that its *path* tells."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    request: web.Request

    @property
    def text(self) -> str:
        """What the person said."""
        if self.path.endswith(OPENAI_PATH):
            return str(self.body["messages"][-1]["content"])
        if self.path.endswith(RESPONSES_PATH):
            said = self.body["input"]
            return str(said if isinstance(said, str) else said[-1]["content"])
        if self.path == A2A_PATH:
            return str(self.body["params"]["message"]["parts"][0]["text"])
        return str(self.body["prompt" if self.path == AGENT_KERNEL_PATH else "text"])

    def answered(self, text: str) -> web.Response:
        """Return *text* as the protocol wraps it."""
        if self.path.endswith(OPENAI_PATH):
            return web.json_response({"choices": [{"message": {"content": text}}]})
        if self.path.endswith(RESPONSES_PATH):
            content = [{"type": "output_text", "text": text}]
            return web.json_response({"output": [{"type": "message", "content": content}]})
        if self.path == A2A_PATH:
            message = {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": text}]}
            return web.json_response({"jsonrpc": "2.0", "id": 1, "result": {"message": message}})
        field_name = "result" if self.path == AGENT_KERNEL_PATH else "reply"
        return web.json_response({field_name: text})


Act = Callable[[Question], Awaitable[web.StreamResponse | None]]


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
        """Let the answer go."""
        self.released.set()

    async def __call__(self, question: Question) -> web.StreamResponse:
        """Wait, then answer."""
        await self.released.wait()
        return question.answered(self.text)


class Stream:
    """Answers in frames of a `text/event-stream` as it is told to; *frame* makes a text one."""

    def __init__(self, frame: Callable[[str], str] | None = None) -> None:
        self._frame = frame or (lambda text: json.dumps({"reply": text}))
        self._orders = asyncio.Queue[str | None | Exception]()
        self.has_ended = asyncio.Event()

    def write(self, text: str) -> None:
        """Write *text* as a frame."""
        self._orders.put_nowait(self._frame(text))

    def send(self, frame: str) -> None:
        """Write *frame* as it is."""
        self._orders.put_nowait(frame)

    def end(self) -> None:
        """End the answer as the protocol has it."""
        self._orders.put_nowait("[DONE]")
        self._orders.put_nowait(None)

    def drop(self) -> None:
        """Break the line in the middle."""
        self._orders.put_nowait(ConnectionResetError())

    async def __call__(self, question: Question) -> web.StreamResponse | None:
        """Write what is ordered until the end, or until the client has left."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await response.prepare(question.request)
            while (frame := await self._orders.get()) is not None:
                if isinstance(frame, Exception):
                    return None
                await response.write(f"data: {frame}\n\n".encode())
            await response.write_eof()
        finally:
            self.has_ended.set()
        return response


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

    def improvise(self, question: Question) -> Act:
        """Return what to do about *question* without orders: repeat it."""
        return says(f"You said: {question.text}")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the question and act; an act that returns nothing drops the line."""
        question = Question(request.path, dict(request.headers), await request.json(), request)
        if question.body.get("method") == "ListTasks":  # the look before a question
            return web.json_response({"jsonrpc": "2.0", "id": 1, "result": {"tasks": []}})
        act = self._script.popleft() if self._script else self.improvise(question)
        async with self._news:
            self.asked.append(question)
            self._news.notify_all()
        response = await act(question)
        if response is not None:
            return response
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


async def show_card(_request: web.Request) -> web.Response:
    """Give the card by which A2A finds the agent."""
    return web.json_response(A2A_CARD)


async def drops(_question: Question) -> None:
    """Break the line without an answer."""


async def hangs(_question: Question) -> None:
    """Never answer."""
    await asyncio.Event().wait()


AgentT = TypeVar("AgentT", bound=ScriptedAgent)


@asynccontextmanager
async def serving_agent(agent: AgentT) -> AsyncIterator[AgentT]:
    """Serve *agent* while the block does."""
    app = web.Application()
    app.router.add_get("/.well-known/agent-card.json", show_card)
    app.router.add_post("/{path:.*}", agent.handle)
    async with serving(app) as agent.url:
        yield agent


@asynccontextmanager
async def scripted_agent() -> AsyncIterator[ScriptedAgent]:
    """Run an agent while the block does."""
    async with serving_agent(ScriptedAgent()) as agent:
        yield agent
