"""
n8n, by a Chat Trigger or a Webhook: the workflow's last node answers, whole or in JSON lines.

Whether it streams is the trigger's setting, not the request's, and both answers are typed
`application/json`: so the body decides.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING

from ak_instagram import fast_json
from ak_instagram.agents.agent import MessageEnd, Needs, Part, Silence, Text, Turn
from ak_instagram.agents.body import Body
from ak_instagram.agents.transport import AgentResponse, Endpoint, JsonObject, agent_url
from ak_instagram.errors import Permanent, SettingsError, Transient
from ak_instagram.settings.model import AgentSettings

from .http.reading import compile_reading, document_of
from .http.template import RequestTemplate

if TYPE_CHECKING:
    import aiohttp

# What the chat page sends. A Webhook has all of it under `body`.
REQUEST: Mapping[str, object] = {
    "action": "sendMessage",
    "sessionId": "{session}",
    "chatInput": "{text}",
    "metadata": {"turn": "{turn}", "account": "{account}", "agent": "{agent}"},
}
# Where an AI Agent, a chain, and people's own nodes put their text.
REPLY = "output, text, response.text, message, reply"

_FAILED = "n8n's workflow failed"
_STREAMED = frozenset({"begin", "item", "end", "error"})
_ADVICE = {
    404: "publish the workflow, and set agent.url to its production address, not the test one"
}
# A published workflow too is unknown for some seconds after n8n has started.
_UNREGISTERED = "is not registered"
STARTS = 5  # attempts, within a minute at most
_STARTED = "Workflow was started"
_AT_ONCE = (
    "n8n answers before the workflow has run: "
    'set the trigger to respond "When Last Node Finishes" or by "Respond to Webhook"'
)
_BY_SOCKET = "n8n's Chat nodes answer its own page alone: set the trigger to respond by last node"


class N8n:
    """Asks a workflow of n8n, which keeps the conversation under `sessionId`."""

    needs = Needs(
        always=(
            ("agent.url", "set the trigger's production address, …/webhook/…/chat or …/webhook/…"),
        )
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        """Raises `SettingsError` for a typo in the template, a path or a condition."""
        url = agent_url(settings)
        self._request = RequestTemplate(settings.request or REQUEST, url, settings.headers)
        problems = self._request.problems()
        self._reading = compile_reading(
            REPLY if settings.reply is None else settings.reply,
            settings.outcomes,
            is_stream=False,
            problems=problems,
        )
        if problems:
            raise SettingsError(problems)
        self.history = settings.history if self._request.wants_history else 0
        self._endpoint = Endpoint(settings, session, url, advice=_ADVICE)

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield what the last node said, or each agent's message of a stream as it comes."""
        try:
            async with aclosing(self._ask(turn)) as parts:
                async for part in parts:
                    yield part
        except Permanent as exc:
            if exc.status == HTTPStatus.NOT_FOUND and _UNREGISTERED in str(exc):
                raise Transient(str(exc), attempts=STARTS, status=exc.status) from exc
            raise

    async def _ask(self, turn: Turn) -> AsyncGenerator[Part]:
        body = self._request.fill(turn)
        url, headers = self._request.url(turn), self._request.headers(turn)
        async with self._endpoint.ask(turn.id, body, turn, url=url, headers=headers) as answer:
            if answer.status == HTTPStatus.NO_CONTENT:
                yield Silence()
                return
            frames, lines, size = FrameReader(), list[bytes](), 0
            async for line in answer.lines():
                frame = None if lines else fast_json.load_object(line)
                if lines or not (is_frame(frame) or frames.has_begun):
                    lines.append(line)
                    size += len(line)
                    answer.check_size(size)
                    continue
                if frame is not None and frame.get("type") == "error":
                    answer.raise_failure(str(frame.get("content") or "error"), _FAILED)
                for part in frames.read(frame or {}):
                    yield part
            if frames.has_begun:
                frames.end()
                return
            for part in self._read(answer, answer.body_of(lines), turn):
                yield part

    def _read(self, answer: AgentResponse, body: Body, turn: Turn) -> list[Part]:
        document = document_of(body)
        if isinstance(document, dict):
            if document.get("message") == _STARTED:
                raise Permanent(_AT_ONCE)
            if document.get("executionStarted") is True:
                raise Permanent(_BY_SOCKET)
        answer.raise_failure(self._reading.failure(document), _FAILED)
        return self._reading.parts(document, turn)


def is_frame(frame: JsonObject | None) -> bool:
    """Return whether a line of the body is a frame of a stream."""
    return frame is not None and frame.get("type") in _STREAMED and "metadata" in frame


class FrameReader:
    """Reads a stream's frames: a message for each agent that runs."""

    def __init__(self) -> None:
        self.has_begun = False
        self._running = 0
        self._has_spoken = False

    def read(self, frame: JsonObject) -> Iterator[Part]:
        """Yield what *frame* adds; a message ends where the next agent begins."""
        self.has_begun = True
        content = frame.get("content")
        match frame.get("type"):
            case "begin":
                self._running += 1
                if self._has_spoken:
                    self._has_spoken = False
                    yield MessageEnd()
            case "item" if isinstance(content, str) and content:
                self._has_spoken = True
                yield Text(content)
            case "end":
                self._running -= 1

    def end(self) -> None:
        """Raise `Transient` if an agent has begun and not ended: the stream was cut off."""
        if self._running > 0:
            raise Transient("agent's stream ended early")
