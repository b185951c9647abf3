"""The one HTTP edge to agents: POST some JSON, read JSON or a stream of it."""

from __future__ import annotations

import codecs
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from ak_instagram import fast_json
from ak_instagram.backoff import parse_retry_after
from ak_instagram.errors import Permanent, SettingsError, Transient
from ak_instagram.settings.messages import label
from ak_instagram.settings.model import AgentSettings
from ak_instagram.settings.value_types import http_url

# An answer's total time is limited around every adapter (see `limits`). Here only a
# host that doesn't even take the connection is given up on sooner.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10)

# JSON spells most scripts as \uXXXX in at most three bytes for each byte of UTF-8; the
# rest is for what wraps the text.
_BYTES_PER_TEXT_BYTE = 4
_WRAPPING = 64 * 1024

_STREAM_END = "[DONE]"

JsonObject: TypeAlias = dict[str, Any]


class Endpoint:
    """Where an agent listens, and what every request to it carries."""

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession, url: str) -> None:
        self._url = url
        self._session = session
        self._headers = _headers(settings)
        self._limit = settings.max_answer * _BYTES_PER_TEXT_BYTE + _WRAPPING

    @asynccontextmanager
    async def ask(self, turn_id: str, body: object) -> AsyncIterator[AgentResponse]:
        """
        Post *body* and give the answer, whose status is a success.

        `Transient` and `Permanent` are raised on entry for any other status, and within the
        block when reading the answer fails. Leaving the block early closes the connection.
        """
        headers = self._headers | {"Idempotency-Key": turn_id}
        payload = aiohttp.BytesPayload(fast_json.dump(body), content_type="application/json")
        try:
            async with self._session.post(
                self._url, data=payload, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                _check(response)
                yield AgentResponse(response, self._limit)
        except (aiohttp.ClientError, OSError) as exc:
            # The class says enough; the text may quote the URL with what is secret in it.
            raise Transient(f"agent did not answer: {type(exc).__name__}") from exc


class AgentResponse:
    """A successful answer whose body has yet to be read, whole or as a stream."""

    def __init__(self, response: aiohttp.ClientResponse, limit: int) -> None:
        self.status = response.status
        self._content = response.content
        self._content_type = response.content_type
        self._limit = limit

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of server-sent events."""
        return self._content_type == "text/event-stream"

    async def json(self) -> Any:  # noqa: ANN401 - this is where JSON enters
        """Return the body as JSON, whatever type it claims to have; `Permanent` if it is none."""
        body = bytearray()
        while not self._content.at_eof():
            body += await self._content.readany()
            if len(body) > self._limit:
                raise Permanent(f"agent's answer has more than {self._limit} bytes")
        return parse_json(bytes(body), self._content_type)

    async def frames(self, is_last: Callable[[JsonObject], bool]) -> AsyncIterator[JsonObject]:
        """
        Yield each event's JSON object, up to the one that *is_last* or a `[DONE]`.

        A stream that ends before that was cut off: `Transient`.
        """
        parser = SseParser(self._limit)
        async for chunk in self._content.iter_any():
            for event in parser.feed(chunk):
                if event == _STREAM_END:
                    return
                yield (frame := require_object(parse_json(event, self._content_type)))
                if is_last(frame):
                    return
        raise Transient("agent's stream ended early")


def parse_json(body: bytes | str, content_type: str) -> Any:  # noqa: ANN401 - this is where JSON enters
    """Return *body* parsed; `Permanent` that names *content_type* if it is not JSON."""
    try:
        return fast_json.load(body)
    # Brackets nested thousands deep exhaust the parser's recursion.
    except (ValueError, RecursionError):
        # The parser's own error carries the whole body: keep it out of any traceback.
        raise Permanent(f"agent answered {content_type[:60]}, not JSON") from None


def require_object(parsed: object) -> JsonObject:
    """Return *parsed* if it is a JSON object, else raise `Permanent`."""
    if not isinstance(parsed, dict):
        raise Permanent(f"agent answered a JSON {type(parsed).__name__}, not an object")
    return parsed


def _headers(settings: AgentSettings) -> dict[str, str]:
    """Return what every request carries; `agent.headers` wins over what we would send."""
    ours = {"Accept": "application/json, text/event-stream"}
    if settings.api_key:
        ours["Authorization"] = f"Bearer {settings.api_key}"
    theirs = {name.lower() for name in settings.headers}
    return {k: v for k, v in ours.items() if k.lower() not in theirs} | dict(settings.headers)


def _check(response: aiohttp.ClientResponse) -> None:
    """Raise what *response* means unless it is a success."""
    asked = response.headers.get("Retry-After")
    retry_after = parse_retry_after(asked, datetime.now(UTC), MAX_RETRY_AFTER)
    check_status(response.status, retry_after)


def agent_url(settings: AgentSettings, path: str = "", default: str | None = None) -> str:
    """
    Return the URL to post to: `agent.url`, or *default*, with *path* at the end of its own.

    A path that is already there is not added again; a query stays. Raises
    `SettingsError` for a URL that the settings refuse.
    """
    url = settings.url or default or ""
    _check_url(url)
    if not path:
        return url
    parsed = urlsplit(url)
    root = parsed.path.rstrip("/")
    return parsed._replace(path=root if root.endswith(path) else root + path).geturl()


def _check_url(url: str) -> None:
    """Raise `SettingsError` if *url* is none that `agent.url` may have."""
    try:
        http_url(url)
    except ValueError as reason:
        raise SettingsError([f"{label('agent.url')}: {reason}"]) from reason


MAX_RETRY_AFTER = 3600.0
"""No agent makes a person wait longer than this many seconds for the next try."""

# Statuses below 500 that say "not now" rather than "not so".
_TRANSIENT = frozenset({408, 425, 429})

_ADVICE = {
    401: ": check agent.api_key",
    403: ": check agent.api_key",
    404: ": check agent.url and agent.model",
    405: ": check agent.url",
}
_REDIRECTED = ": redirects are not followed, set agent.url to the final address"


def check_status(status: int, retry_after: float | None = None) -> None:
    """
    Raise what *status* means unless it is a success.

    The text names the status and nothing of the body, which may repeat what the
    person wrote.
    """
    if 200 <= status < 300:
        return
    if status in _TRANSIENT or status >= 500:
        raise Transient(f"agent answered {status}", retry_after)
    advice = _REDIRECTED if 300 <= status < 400 else _ADVICE.get(status, "")
    raise Permanent(f"agent answered {status}{advice}")


class SseParser:
    """
    Cuts a `text/event-stream` into the data of its events.

    Only `data` matters to the protocols spoken here: event names, ids and comments
    are skipped. An event that the stream's end cuts off is never given out, as the
    standard says (https://html.spec.whatwg.org/multipage/server-sent-events.html).
    """

    def __init__(self, limit: int) -> None:
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self._limit = limit
        self._line = ""
        self._fields: list[str] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Return the data of the events that *chunk* completes; `Permanent` if one is too long."""
        *lines, self._line = (self._line + self._decoder.decode(chunk)).split("\n")
        events = [event for line in lines if (event := self._take(line)) is not None]
        if self._held + len(self._line) > self._limit:
            raise Permanent(f"agent's stream has an event of more than {self._limit} characters")
        return events

    def _take(self, line: str) -> str | None:
        """Note a `data` line; at an empty line return the event so far, if it has data."""
        if line:
            field, _, value = line.partition(":")
            if field == "data":
                self._fields.append(value.removeprefix(" "))
                self._held += len(line)
            return None
        fields, self._fields, self._held = self._fields, [], 0
        return "\n".join(fields) if fields else None
