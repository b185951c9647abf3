"""
Transport: the one HTTP edge to agents. It posts JSON or a form, and gives bodies or a stream.

An answer's total time is limited around every adapter (`registry.ask`). Here only a host
that doesn't even take the connection is given up on sooner.

aiohttp is imported with the first endpoint and not here: an adapter is also loaded only to
ask which settings it needs, by commands that run for less time than aiohttp takes to load.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode, urlsplit

from ak_instagram import fast_json
from ak_instagram.backoff import parse_retry_after
from ak_instagram.errors import Permanent, SettingsError, Transient
from ak_instagram.settings.messages import label
from ak_instagram.settings.model import RETRY_STATUSES, AgentSettings
from ak_instagram.settings.value_types import http_url

from .agent import Turn
from .body import Body, LineParser, SseParser
from .complaint import complaint, quoted
from .failures import failure, is_transient

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT = 10.0  # seconds
MAX_RETRY_AFTER = 3600.0  # seconds; no agent makes a person wait longer for the next attempt

# JSON spells most scripts as \uXXXX in at most three bytes for each byte of UTF-8; the
# rest is for what wraps the text.
_BYTES_PER_TEXT_BYTE = 4
_WRAPPING = 64 * 1024
_LIMIT_FIX = " (agent.max_body)"

JsonObject: TypeAlias = dict[str, Any]

JSON = "application/json"
JSON_OR_EVENTS = "application/json, text/event-stream"
FORM = "application/x-www-form-urlencoded"

_STREAM_END = "[DONE]"
# LiteLLM hands the provider's own wish on under a name of its own.
_RETRY_AFTER = ("Retry-After", "llm_provider-retry-after")
# As a page of HTML no verdict of the agent: a proxy on the way refuses so what did not reach it.
_OF_A_PROXY = frozenset({403, 404, 407})
_ADVICE = {
    401: "check agent.api_key",
    403: "check agent.api_key",
    404: "check agent.url",
    405: "check agent.url",
}
_WRONG_MODEL = {404: "check agent.url and agent.model"}
_NO_KEY = "no agent.api_key is set"
_REDIRECTED = "redirects are not followed, set agent.url to the final address"

ERROR_BODY = 64 * 1024  # bytes; of a longer one nothing is quoted
_PAGE = "text/html"
ERROR_TIMEOUT = 2.0  # seconds; the status is worth more than its reason

# --- asking -----------------------------------------------------------------


def agent_url(settings: AgentSettings, path: str = "", default: str | None = None) -> str:
    """
    Return the URL to post to: `agent.url`, or *default*, with *path* at the end of its own.

    A path that is already there is not added again; a query stays. Raises
    `SettingsError` for a URL that the settings refuse.
    """
    url = settings.url or default or ""
    try:
        http_url(url)
    except ValueError as reason:
        raise SettingsError([f"{label('agent.url')}: {reason}"]) from reason
    parsed = urlsplit(url)
    root = parsed.path.rstrip("/")
    has_path = not path or root.endswith(path)
    return url if not path else parsed._replace(path=root if has_path else root + path).geturl()


class Endpoint:
    """The URL at which an agent listens, and what every request to it carries."""

    def __init__(
        self,
        settings: AgentSettings,
        session: aiohttp.ClientSession,
        url: str,
        *,
        asks_model: bool = False,
        headers: Mapping[str, str] | None = None,
        accept: str = JSON,
        is_form: bool = False,
        max_body: int = 0,
        advice: Mapping[int, str] | None = None,
    ) -> None:
        """
        Take the headers from *settings*, over *headers*, which the protocol asks for.

        *accept* names what is read. Bodies are forms if it *is_form*, else JSON. *max_body* is
        the least limit in bytes of an answer's body where no `agent.max_body` is set. *advice*
        is what to check, by status, if it is not the key; it names `agent.model` if one
        *asks_model*.
        """
        import aiohttp  # see above

        self._url = url
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
        self._no_answer = (aiohttp.ClientError, OSError)
        least = max(max_body, settings.max_answer * _BYTES_PER_TEXT_BYTE + _WRAPPING)
        self._limit = settings.max_body or least
        self._retries = settings.retry_statuses
        self._encode = form if is_form else fast_json.dump
        ours = {"Accept": accept, "Content-Type": FORM if is_form else JSON, **(headers or {})}
        if settings.api_key:
            ours["Authorization"] = f"Bearer {settings.api_key}"
        theirs = {name.lower() for name in settings.headers}
        self._headers = {k: v for k, v in ours.items() if k.lower() not in theirs}
        self._headers |= settings.headers
        self._advice = {**_ADVICE, **(_WRONG_MODEL if asks_model else {}), **(advice or {})}
        # LiteLLM's proxy says no more than that to whoever has no key.
        self._advice_for_text: dict[int, str] = {}
        if "authorization" in theirs:
            self._advice |= dict.fromkeys((401, 403), "check agent.headers")
        elif not settings.api_key:
            hint = _NO_KEY + (", check agent.headers" if theirs else "")
            self._advice |= dict.fromkeys((401, 403), hint)
            if asks_model and not theirs:
                self._advice_for_text = {500: _NO_KEY}
        credentials = [
            value for text in settings.headers.values() for value in (text, *text.split())
        ]
        self._secrets = [settings.api_key or "", *credentials]

    @asynccontextmanager
    async def ask(
        self,
        turn_id: str,
        body: object,
        turn: Turn | None = None,
        method: str = "POST",
        *,
        url: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[AgentResponse]:
        """
        Post *body*, or use another *method*, and give the answer, whose status is a success.

        *url* and *headers* are in place of the endpoint's own, or beside them.

        An error's text quotes the server, unless that repeats what was said in *turn*, or
        anything of *body* if no turn is given.
        `Transient` and `Permanent` are raised on entry for any other status, and within the
        block when reading the answer fails. Leaving the block early closes the connection.
        """
        sent = {**self._headers, **(headers or {}), "Idempotency-Key": turn_id}
        payload = None if body is None else self._encode(body)
        try:
            async with self._session.request(
                method,
                url or self._url,
                data=payload,
                headers=sent,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                is_text = response.content_type == "text/plain"
                advice = self._advice | (self._advice_for_text if is_text else {})
                check = partial(check_status, advice=advice, retries=self._retries)
                quote = partial(quoted, turn=turn, body=body, secrets=self._secrets)
                if not 200 <= response.status < 300:
                    wait = next(filter(None, map(response.headers.get, _RETRY_AFTER)), None)
                    told = quote(complaint(await read_error(response)))
                    check(response.status, wait, told, is_page=response.content_type == _PAGE)
                yield AgentResponse(response, self._limit, check, quote)
        except self._no_answer as exc:
            # The class says enough; the text may quote the URL with what is secret in it.
            raise Transient(f"agent did not answer: {type(exc).__name__}") from exc


def form(body: object) -> bytes:
    """Return an object as a form: null is left out, and what is no text is written as JSON."""
    fields = body if isinstance(body, Mapping) else {}
    texts = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in fields.items()
        if value is not None
    }
    return urlencode(texts, errors="replace").encode()


def check_status(
    status: int,
    retry_after: str | None = None,
    quote: str = "",
    advice: Mapping[int, str] = _ADVICE,
    *,
    is_page: bool = False,
    retries: Collection[str] = RETRY_STATUSES,
) -> None:
    """
    Raise what *status* means unless it is a success; *retry_after* is the header.

    Those of *retries* are worth another attempt.

    What a proxy on the way answers, as it may if the answer *is_page*, is no verdict.
    The text names the status, the *advice* for it, and the server's *quote*.
    """
    if 200 <= status < 300:
        return
    hint = _REDIRECTED if 300 <= status < 400 else advice.get(status, "")
    reason = "; ".join(filter(None, [hint, quote and f"the server says: {quote}"]))
    text = f"agent answered {status}{reason and f': {reason}'}"
    if is_transient(status, retries) or (is_page and status in _OF_A_PROXY):
        wait = parse_retry_after(retry_after, datetime.now(UTC), MAX_RETRY_AFTER)
        raise Transient(text, wait, status=status)
    raise Permanent(text, status=status)


async def read_error(response: aiohttp.ClientResponse) -> JsonObject:
    """Return the JSON object that an error has as its body, empty if it can't be had."""
    body = bytearray()
    try:
        async with asyncio.timeout(ERROR_TIMEOUT):
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > ERROR_BODY:
                    return {}
    except Exception:  # noqa: BLE001 - whatever breaks, the status is known
        return {}
    return fast_json.load_object(bytes(body)) or {}


# --- reading ----------------------------------------------------------------


class AgentResponse:
    """A successful answer whose body has yet to be read, whole or as a stream."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        limit: int,
        check: Callable[[int, None, str], None],
        quote: Callable[[str], str],
    ) -> None:
        self._check = check
        self._quote = quote
        self.status = response.status
        self.is_stream = response.content_type == "text/event-stream"
        self._content = response.content
        self._content_type = response.content_type[:60]
        self._charset = response.charset
        self._limit = limit

    def raise_error(self, document: JsonObject, otherwise: type[Exception], text: str) -> None:
        """
        Raise what the `error` in a *document* means, if there is one, with the server's words.

        That is what the HTTP status in its `code` means, or its words do, else *otherwise*
        with *text*.
        """
        if not (error := document.get("error")):
            return
        words = complaint(document)
        code = error.get("code") if isinstance(error, dict) else None
        if str(code).isdecimal() and 400 <= int(str(code)) < 600:
            self._check(int(str(code)), None, self._quote(words))
        told = failure(words, text, self._quote(words))
        raise Permanent(str(told)) if otherwise is Permanent and not told.status else told

    def raise_failure(self, words: str | None, text: str) -> None:
        """Raise the failure that the agent tells in *words*, if any, with *text* before them."""
        if words:
            raise failure(words, text, self._quote(words))

    async def json(self) -> JsonObject:
        """Return the body's JSON object, or raise as `Body.json` and `require_object` do."""
        data = await self._read()
        if (found := fast_json.load_object(data)) is not None:
            return found
        return require_object(self._body_of(data).json())  # of another encoding, or none

    async def body(self) -> Body:
        """Return the whole body; `Permanent` if it is too long."""
        return self._body_of(await self._read())

    async def _read(self) -> bytes:
        body = bytearray()
        while not self._content.at_eof():
            body += await self._content.readany()
            if len(body) > self._limit:  # not called, since every answer comes by here
                self.check_size(len(body))
        return bytes(body)

    def check_size(self, size: int) -> None:
        """Raise `Permanent` if so many bytes are more than a whole answer may have."""
        if size > self._limit:
            raise Permanent(f"agent's answer has more than {self._limit} bytes{_LIMIT_FIX}")

    async def frames(
        self,
        is_last: Callable[[JsonObject], bool],
        *,
        in_lines: bool = False,
        needs_end: bool = True,
    ) -> AsyncIterator[JsonObject]:
        """
        Yield each event's JSON object, up to the one that *is_last* or a `[DONE]`.

        A stream that ends before that was cut off, if it *needs_end*: `Transient`. With
        *in_lines* each line of the body is an object, whatever its type.
        """
        parser = LineParser(self._limit) if in_lines else SseParser(self._limit)
        async for event in self._events(parser):
            if event == _STREAM_END:
                return
            yield (frame := require_object(self._body_of(event).json()))
            if is_last(frame):
                return
        if needs_end:
            raise Transient("agent's stream ended early")

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield each line of the body as it comes; `Permanent` if one is too long."""
        line = b""
        async for chunk in self._content.iter_any():
            *lines, line = (line + chunk).split(b"\n")
            self.check_size(len(line))
            for each in lines:
                yield each
        yield line

    def body_of(self, lines: Sequence[bytes]) -> Body:
        """Return the body of which `lines` has given all *lines*."""
        return self._body_of(b"\n".join(lines))

    async def _events(self, parser: SseParser | LineParser) -> AsyncIterator[str]:
        """Yield what *parser* makes of the body, without what is blank."""
        async for chunk in self._content.iter_any():
            for event in filter(str.strip, parser.feed(chunk)):
                yield event
        for event in filter(str.strip, parser.rest()):
            yield event

    def _body_of(self, data: bytes | str) -> Body:
        return Body(self.status, self._content_type, self._charset, data)


def require_object(parsed: object) -> JsonObject:
    """Return *parsed* if it is a JSON object, else raise `Permanent`."""
    if not isinstance(parsed, dict):
        raise Permanent(f"agent answered a JSON {type(parsed).__name__}, not an object")
    return parsed
