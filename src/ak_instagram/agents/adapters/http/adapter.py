"""The adapter `http`: posts `agent.request`, and reads the answer as the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from ak_instagram.agents.agent import Needs, Part, Silence, Turn
from ak_instagram.agents.transport import AgentResponse, Endpoint, agent_url
from ak_instagram.errors import Permanent, SettingsError
from ak_instagram.settings.model import AgentSettings

from .reading import compile_reading, document_of
from .template import DEFAULT_REQUEST, RequestTemplate

if TYPE_CHECKING:
    import aiohttp

DEFAULT_REPLY = "reply"
# What can be read in each form of answer.
_ACCEPT = {
    "json": "application/json, text/plain;q=0.5",
    "events": "text/event-stream, application/json;q=0.5",
    "lines": "application/x-ndjson, application/json;q=0.5",
}
FAILED = "agent answered with an error"


class HttpAgent:
    """Asks any endpoint that takes JSON or a form and gives JSON, a text, or a stream of JSON."""

    needs = Needs(
        always=(("agent.url", "set the endpoint, for example http://localhost:9000/ask"),)
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        """Raises `SettingsError` for a typo in the template, a path or a condition."""
        self._is_stream = settings.reply_format != "json"
        self._request = RequestTemplate(
            self.template(settings), agent_url(settings), settings.headers
        )
        problems = self._request.problems()
        self.reading = compile_reading(
            DEFAULT_REPLY if settings.reply is None else settings.reply,
            settings.outcomes,
            is_stream=self._is_stream,
            problems=problems,
        )
        if problems:
            raise SettingsError(problems)
        self.history = settings.history if self._request.wants_history else 0
        self._endpoint = Endpoint(
            settings,
            session,
            agent_url(settings),
            is_form=settings.request_format == "form",
            accept=_ACCEPT[settings.reply_format],
        )
        self._is_in_lines = settings.reply_format == "lines"

    def template(self, settings: AgentSettings) -> Mapping[str, object]:
        """Return the body to fill for each turn."""
        return settings.request or DEFAULT_REQUEST

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield what the endpoint replied; `204 No Content` is silence."""
        async with self._endpoint.ask(
            turn.id,
            self._request.fill(turn),
            turn,
            url=self._request.url(turn),
            headers=self._request.headers(turn),
        ) as answer:
            self.accept(answer)
            if answer.status == HTTPStatus.NO_CONTENT:
                yield Silence()
            elif answer.is_stream and not self._is_stream:
                raise Permanent("agent answers a stream: set agent.reply_format to events")
            elif answer.is_stream or self._is_in_lines:
                async for part in self._stream(answer):
                    yield part
            else:
                document = document_of(await answer.body())
                answer.raise_failure(self.reading.failure(document), FAILED)
                for part in self.reading.parts(document, turn):
                    yield part

    def accept(self, answer: AgentResponse) -> None:
        """Raise for an answer that is none yet; here every success is one."""

    async def _stream(self, answer: AgentResponse) -> AsyncIterator[Part]:
        """Yield the parts of each frame as it comes."""
        reading = self.reading
        frames = answer.frames(
            reading.is_last, in_lines=self._is_in_lines, needs_end=reading.expects_end
        )
        async for frame in frames:
            answer.raise_failure(reading.failure(frame), FAILED)
            for part in reading.parts_of_frame(frame):
                yield part
