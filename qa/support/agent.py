"""A scripted agent: real HTTP in every protocol that the service speaks."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
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


CALLBACK_SECRET = "scripted-callback-secret"
_POSTING: set[asyncio.Task[None]] = set()


@dataclass(frozen=True)
class Protocol:
    """How a protocol has what the person *said*, and how it *answers* a text."""

    said: Callable[[dict[str, Any]], object]
    answers: Callable[[str, dict[str, Any]], web.Response]


def _as_json(wrap: Callable[[str], object]) -> Callable[[str, dict[str, Any]], web.Response]:
    return lambda text, _: web.json_response(wrap(text))


def _as_stream(*frames: object) -> web.Response:
    """Answer with server-sent events."""
    texts = "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames)
    return web.Response(text=texts, content_type="text/event-stream")


def _halves(text: str) -> tuple[str, str]:
    half = len(text) // 2
    return text[:half], text[half:]


def _completion(text: str, body: dict[str, Any]) -> web.Response:
    """Answer as Chat Completions do, in two pieces if a stream is asked for."""
    if not body.get("stream"):
        return web.json_response({"choices": [{"message": {"content": text}}]})
    chunks: list[dict[str, Any]] = [{"delta": {"content": it}} for it in _halves(text)]
    chunks.append({"delta": {}, "finish_reason": "stop"})
    return _as_stream(*({"choices": [it]} for it in chunks))


def _responded(text: str, body: dict[str, Any]) -> web.Response:
    """Answer as the Responses API does, in two pieces if a stream is asked for."""
    if not body.get("stream"):
        return web.json_response(_response(text))
    deltas = ({"type": "response.output_text.delta", "delta": it} for it in _halves(text))
    return _as_stream(*deltas, {"type": "response.completed", "response": _response(text)})


def _response(text: str) -> object:
    content = [{"type": "output_text", "text": text}]
    return {"output": [{"type": "message", "content": content}]}


def _a2a(text: str) -> object:
    message = {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": text}]}
    return {"jsonrpc": "2.0", "id": 1, "result": {"message": message}}


def _run(text: str, _body: dict[str, Any]) -> web.Response:
    """Stream an AG-UI run."""
    events = [
        {"type": "RUN_STARTED"},
        {"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": text},
        {"type": "TEXT_MESSAGE_END", "messageId": "m"},
        {"type": "RUN_FINISHED"},
    ]
    return _as_stream(*events)


def _dify(text: str, _body: dict[str, Any]) -> web.Response:
    """Stream a message of Dify in two pieces."""
    events = [{"event": "message", "answer": it} for it in _halves(text)]
    return _as_stream(*events, {"event": "message_end"})


def _state(text: str, body: dict[str, Any]) -> web.Response:
    asked = {"type": "human", **body["input"]["messages"][0]}
    state = {"messages": [asked, {"type": "ai", "id": "a", "content": text}]}
    if "stream_mode" not in body:
        return web.json_response(state)
    return _as_stream({"run_id": "r"}, {"messages": [asked]}, state)


def _called_back(text: str, body: dict[str, Any]) -> web.Response:
    """Take the question, and post the answer by itself."""
    task = asyncio.create_task(_post(body["callback_url"], json.dumps({"reply": text}).encode()))
    _POSTING.add(task)
    task.add_done_callback(_POSTING.discard)
    return web.json_response({}, status=202)


async def _post(url: str, body: bytes) -> None:
    signature = hmac.digest(CALLBACK_SECRET.encode(), body, "sha256").hex()
    headers = {"X-Hub-Signature-256": f"sha256={signature}"}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers):
        pass


_BY_PATH: Mapping[str, Protocol] = {
    AGENT_KERNEL_PATH: Protocol(
        lambda body: body["prompt"], _as_json(lambda text: {"result": text})
    ),
    OPENAI_PATH: Protocol(
        lambda body: body["messages"][-1]["content"],
        _completion,
    ),
    RESPONSES_PATH: Protocol(
        lambda body: (
            body["input"] if isinstance(body["input"], str) else body["input"][-1]["content"]
        ),
        _responded,
    ),
    A2A_PATH: Protocol(lambda body: body["params"]["message"]["parts"][0]["text"], _as_json(_a2a)),
    "/chat-messages": Protocol(lambda body: body["query"], _dify),
    **dict.fromkeys(
        ("/runs/wait", "/runs/stream"),
        Protocol(lambda body: body["input"]["messages"][0]["content"], _state),
    ),
}
_BY_NAME: Mapping[str, Protocol] = {
    "threadId": Protocol(lambda body: body["messages"][-1]["content"], _run),
    "chatInput": Protocol(lambda body: body["chatInput"], _as_json(lambda text: {"output": text})),
    "question": Protocol(lambda body: body["question"], _as_json(lambda text: {"text": text})),
    "callback_url": Protocol(lambda body: body["text"], _called_back),
    "text": Protocol(lambda body: body["text"], _as_json(lambda text: {"reply": text})),
}


@dataclass(frozen=True)
class Question:
    """One request, in the protocol that its *path* tells, or a name in its *body*."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    request: web.Request

    @property
    def text(self) -> str:
        """What the person said."""
        return str(self._protocol.said(self.body))

    def answered(self, text: str) -> web.Response:
        """Return *text* as the protocol wraps it."""
        return self._protocol.answers(text, self.body)

    @property
    def _protocol(self) -> Protocol:
        by_path = (it for end, it in _BY_PATH.items() if self.path.endswith(end))
        by_name = (it for name, it in _BY_NAME.items() if name in self.body)
        return next(by_path, None) or next(by_name)


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


async def show_nothing(request: web.Request) -> web.Response:
    """Answer a look before a question: Dify knows no conversation, and LangGraph no thread."""
    is_dify = request.path.endswith("/conversations")
    return web.json_response({"data": []}, status=200 if is_dify else 404)


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
    app.router.add_get("/{path:.*}", show_nothing)
    app.router.add_post("/{path:.*}", agent.handle)
    async with serving(app) as agent.url:
        yield agent


@asynccontextmanager
async def scripted_agent() -> AsyncIterator[ScriptedAgent]:
    """Run an agent while the block does."""
    async with serving_agent(ScriptedAgent()) as agent:
        yield agent
