"""
The adapter `http-callback`: posts the turn, takes 202, and gets the answer by a callback.

Otherwise it is `http`: the same request with a `callback_url`, the same ways to read what is
posted there. An endpoint that answers at once, with any other success, may do so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from ak_instagram.agents.agent import Needs, Part, Turn
from ak_instagram.agents.body import Body
from ak_instagram.agents.complaint import quoted
from ak_instagram.agents.failures import FEW, failure
from ak_instagram.agents.transport import AgentResponse
from ak_instagram.errors import Deferred, Permanent, SettingsError, Transient
from ak_instagram.settings.model import AgentSettings

from .adapter import FAILED, HttpAgent
from .reading import document_of

if TYPE_CHECKING:
    import aiohttp

CALLBACK_PATH = "/agent/answers/"  # and the turn's id
CALLBACK_URL = "callback_url"  # in the request


class HttpCallback(HttpAgent):
    """Asks an endpoint that posts its answer later, signed as Meta signs."""

    needs = Needs(
        always=(
            ("agent.url", "set the endpoint, for example http://localhost:9000/ask"),
            ("agent.callback_url", "set where the agent reaches this service, http://host:8000"),
            ("agent.callback_secret", "set the secret with which the agent signs its answers"),
        )
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        """Raises `SettingsError` as `HttpAgent` does, and for streams."""
        if settings.reply_format != "json":
            problem = "a callback has one JSON document: set json"
            raise SettingsError([f"agent.reply_format: {problem}"])
        super().__init__(settings, session)
        self._patience = settings.callback_timeout
        self._longest = settings.max_body or settings.max_answer * 4 + 65536

    def template(self, settings: AgentSettings) -> Mapping[str, object]:
        """Return the body to fill for each turn, with the address of its callback."""
        root = (settings.callback_url or "").rstrip("/")
        return {CALLBACK_URL: f"{root}{CALLBACK_PATH}{{turn}}", **super().template(settings)}

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """
        Yield what was posted about *turn*, or ask and raise `errors.Deferred`.

        One that is overdue is `Transient`: it is asked again.
        """
        callback = turn.callback
        if callback is not None and callback.body is not None:
            for part in self._read(callback.body, turn):
                yield part
            return
        if callback is not None and callback.is_overdue:
            raise Transient(
                f"agent posted no answer within agent.callback_timeout ({self._patience:g} s)",
                attempts=FEW,
            )
        async for part in super().answer(turn):
            yield part

    def accept(self, answer: AgentResponse) -> None:
        """Raise `errors.Deferred` for 202."""
        if answer.status == HTTPStatus.ACCEPTED:
            raise Deferred(self._patience)

    def check_callback(self, body: str) -> None:
        """Raise `Permanent` if *body* can't be an answer; one that tells a failure can."""
        if len(body.encode()) > self._longest:
            raise Permanent(f"the answer has more than {self._longest} bytes (agent.max_body)")
        try:
            self._read(body, Turn("", "", "", "", ()))
        except Transient as exc:
            if exc.status is None and exc.attempts is None:  # a cut body, a web page
                raise Permanent(str(exc)) from exc

    def _read(self, body: str, turn: Turn) -> list[Part]:
        """Return the parts of what was posted, or raise the failure that it tells."""
        document = document_of(Body(HTTPStatus.OK, "application/json", None, body))
        if words := self.reading.failure(document):
            raise failure(words, FAILED, quoted(words, turn, None, ()))
        return self.reading.parts(document, turn)
