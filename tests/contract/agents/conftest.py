"""A real HTTP server in the agent's place, and a person's turn to ask it about."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ak_instagram.agents.agent import Part, Turn, UserMessage
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.settings.model import AgentSettings

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class AgentServer:
    """Remembers what it was asked and answers as it is told."""

    url: str = ""
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    respond: Respond | None = None
    only_streams: bool = False
    aside: Callable[[str, str, dict[str, Any]], object | None] = lambda _method, _path, _body: None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def says(self, body: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer everything with *body* as JSON; a list of frames if the protocol only streams."""
        if self.only_streams and status == 200 and isinstance(body, list):
            self.streams(*(f"data: {json.dumps(frame)}\n\n".encode() for frame in body))
            return

        async def respond(_: web.Request) -> web.Response:
            return web.json_response(body, status=status, headers=headers)

        self.respond = respond

    def says_each(self, *answers: object) -> None:
        """Answer the questions in turn; an answer is a body, or a status and a body."""
        waiting = [it if isinstance(it, tuple) else (200, it) for it in answers]

        async def respond(_: web.Request) -> web.Response:
            status, body = waiting.pop(0)
            return web.json_response(body, status=status)

        self.respond = respond

    def streams_each(self, *streams: list[bytes]) -> None:
        """Answer the questions in turn with server-sent events."""
        waiting = list(streams)

        async def respond(_: web.Request) -> web.Response:
            events = b"".join(waiting.pop(0))
            return web.Response(body=events, content_type="text/event-stream")

        self.respond = respond

    def sends(self, body: bytes, content_type: str, status: int = 200, encoding: str = "") -> None:
        """Answer everything with these bytes; whole JSON as frames if the protocol only streams."""
        if self.only_streams and (content_type, status, encoding) == ("application/json", 200, ""):
            with suppress(ValueError, RecursionError):
                frames = json.loads(body)
                if isinstance(frames, list) and frames:
                    self.says(frames)
                    return

        async def respond(_: web.Request) -> web.Response:
            headers = {"Content-Type": content_type, "Content-Encoding": encoding}
            return web.Response(
                body=body, status=status, headers={k: v for k, v in headers.items() if v}
            )

        self.respond = respond

    def streams(self, *chunks: bytes) -> None:
        """Answer everything with server-sent events, one write a chunk."""

        async def respond(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream; charset=utf-8"}
            )
            await response.prepare(request)
            for chunk in chunks:
                await response.write(chunk)
                await asyncio.sleep(0)
            return response

        self.respond = respond

    def hangs(self, after: bytes = b"", content_type: str = "application/json") -> None:
        """Send *after*, then nothing more for as long as the client stays."""

        async def respond(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": content_type})
            if after:
                await response.prepare(request)
                await response.write(after)
            try:
                await asyncio.Event().wait()
            finally:
                self.gone.set()
            return response

        self.respond = respond

    def drops(self, after: bytes, content_type: str = "application/json") -> None:
        """Send *after* of an answer that promised more, then close the line."""

        async def respond(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: 999\r\n\r\n"
            request.transport.write(head.encode() + after)
            request.transport.close()
            return web.Response()

        self.respond = respond

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the request and answer it; one that the protocol asks *aside* is not noted."""
        is_json = request.can_read_body and request.content_type == "application/json"
        body = await request.json() if is_json else {}
        if (document := self.aside(request.method, request.path, body)) is not None:
            return web.json_response(document)
        self.asked.append(request)
        self.bodies.append(body)
        self.arrived.set()
        assert self.respond is not None
        return await self.respond(request)


@pytest.fixture
async def agent_server():
    """The agent's HTTP server on the loopback."""
    server = AgentServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    async with TestServer(app, handler_cancellation=True, shutdown_timeout=0.1) as running:
        server.url = str(running.make_url("/v1")).rstrip("/")
        yield server


@pytest.fixture
async def client_session():
    """The service's one HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(agent_server: AgentServer, client_session: aiohttp.ClientSession):
    """Ask an adapter about a turn and collect the parts of its answer."""

    async def ask(turn: Turn, adapter: str, **settings: Any) -> list[Part]:
        defaults: dict[str, Any] = {"url": agent_server.url, "model": "m", "timeout": 5.0}
        chosen = AgentSettings(adapter, **defaults | settings)
        agent = build_agent(chosen, client_session)
        return await ask_agent(agent, turn, chosen.max_answer, chosen.timeout)

    return ask


@pytest.fixture
def turn() -> Turn:
    """A person's turn of one text."""
    return Turn(
        id="turn-1",
        session="session-1",
        account="17841400000000001",
        contact="751390000000001",
        messages=(UserMessage("mid-1", 1756650600000, "Where is my order?"),),
    )


@pytest.fixture
def turn_of(turn: Turn):
    """The same person's turn with other messages."""

    def turn_of(*messages: UserMessage, **changes: Any) -> Turn:
        return dataclasses.replace(turn, messages=messages, **changes)

    return turn_of
