"""
n8n, by a Chat Trigger or a Webhook: the workflow's last node answers, whole or in JSON lines.

Whether it streams is the trigger's setting, not the request's, and both answers are typed
`application/json`: so the body decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from ak_instagram import fast_json
from ak_instagram.agents.agent import Needs, Part, Silence, Text, Turn
from ak_instagram.agents.answer_schema import apart
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
        """Yield what the last node said, or each agent's message of a stream."""
        try:
            parts = await self._ask(turn)
        except Permanent as exc:
            if exc.status == HTTPStatus.NOT_FOUND and _UNREGISTERED in str(exc):
                raise Transient(str(exc), attempts=STARTS, status=exc.status) from exc
            raise
        for part in parts:
            yield part

    async def _ask(self, turn: Turn) -> list[Part]:
        body = self._request.fill(turn)
        url, headers = self._request.url(turn), self._request.headers(turn)
        async with self._endpoint.ask(turn.id, body, turn, url=url, headers=headers) as answer:
            if answer.status == HTTPStatus.NO_CONTENT:
                return [Silence()]
            return self._read(answer, await answer.body(), turn)

    def _read(self, answer: AgentResponse, body: Body, turn: Turn) -> list[Part]:
        if (frames := frames_in(body)) is not None:
            for frame in frames:
                if frame["type"] == "error":
                    answer.raise_failure(str(frame.get("content") or "error"), _FAILED)
            return read_frames(frames)
        document = document_of(body)
        if isinstance(document, dict):
            if document.get("message") == _STARTED:
                raise Permanent(_AT_ONCE)
            if document.get("executionStarted") is True:
                raise Permanent(_BY_SOCKET)
        answer.raise_failure(self._reading.failure(document), _FAILED)
        return self._reading.parts(document, turn)


def frames_in(body: Body) -> list[JsonObject] | None:
    """Return the frames of a streamed *body*, `None` if it is none; a last line may be cut."""
    # At line feeds alone: a text may have any other line separator.
    lines = body.text().strip().split("\n")
    frames = [found for line in lines if (found := fast_json.load_object(line)) is not None]
    is_stream = bool(frames) and all(
        frame.get("type") in _STREAMED and "metadata" in frame for frame in frames
    )
    return frames if is_stream else None


def read_frames(frames: list[JsonObject]) -> list[Part]:
    """
    Return the messages in *frames*, one for each agent that ran.

    `Transient` if one of them has begun and not ended: the stream was cut off.
    """
    messages = [""]
    running = 0
    for frame in frames:
        content = frame.get("content")
        match frame["type"]:
            case "begin":
                running += 1
            case "item" if isinstance(content, str):
                messages[-1] += content
            case "end":
                running -= 1
                messages.append("")
    if running > 0:
        raise Transient("agent's stream ended early")
    return apart([Text(text)] for text in filter(None, messages))
