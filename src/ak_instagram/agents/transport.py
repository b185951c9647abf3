"""
Transport: the one HTTP edge to agents. It posts JSON, and reads JSON or a stream of it.

An answer's total time is limited around every adapter (`registry.ask`). Here only a host
that doesn't even take the connection is given up on sooner.

aiohttp is imported with the first endpoint and not here: an adapter is also loaded only to
ask which settings it needs, by commands that run for less time than aiohttp takes to load.
"""

from __future__ import annotations

import asyncio
import codecs
import io
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from ak_instagram import fast_json
from ak_instagram.backoff import parse_retry_after
from ak_instagram.errors import Permanent, SettingsError, Transient
from ak_instagram.settings.messages import label
from ak_instagram.settings.model import AgentSettings
from ak_instagram.settings.value_types import http_url

from .agent import Turn
from .complaint import complaint, quoted
from .failures import failure, is_transient

if TYPE_CHECKING:
    import aiohttp

JsonObject: TypeAlias = dict[str, Any]

CONNECT_TIMEOUT = 10.0  # seconds
MAX_RETRY_AFTER = 3600.0  # seconds; no agent makes a person wait longer for the next attempt

# JSON spells most scripts as \uXXXX in at most three bytes for each byte of UTF-8; the
# rest is for what wraps the text.
_BYTES_PER_TEXT_BYTE = 4
_WRAPPING = 64 * 1024

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

# What is read besides UTF-8, if it is declared.
_CHARSETS = frozenset({"iso8859-1", "iso8859-15", "cp1252", "utf-16"})
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|(?P<open_string>\\?\Z))|[{}\[\]]', re.DOTALL)

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
    ) -> None:
        """
        Take the headers from *settings*, over *headers*, which the protocol asks for.

        Advice names `agent.model` if one *asks_model*.
        """
        import aiohttp  # see above

        self._url = url
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
        self._no_answer = (aiohttp.ClientError, OSError)
        self._limit = settings.max_answer * _BYTES_PER_TEXT_BYTE + _WRAPPING
        ours = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        ours |= headers or {}
        if settings.api_key:
            ours["Authorization"] = f"Bearer {settings.api_key}"
        theirs = {name.lower() for name in settings.headers}
        self._headers = {k: v for k, v in ours.items() if k.lower() not in theirs}
        self._headers |= settings.headers
        self._advice = _ADVICE | (_WRONG_MODEL if asks_model else {})
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
        self, turn_id: str, body: object, turn: Turn | None = None, method: str = "POST"
    ) -> AsyncIterator[AgentResponse]:
        """
        Post *body*, or use another *method*, and give the answer, whose status is a success.

        An error's text quotes the server, unless that repeats what was said in *turn*, or
        anything of *body* if no turn is given.
        `Transient` and `Permanent` are raised on entry for any other status, and within the
        block when reading the answer fails. Leaving the block early closes the connection.
        """
        headers = self._headers | {"Idempotency-Key": turn_id}
        payload = None if body is None else fast_json.dump(body)
        try:
            async with self._session.request(
                method,
                self._url,
                data=payload,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                is_text = response.content_type == "text/plain"
                advice = self._advice | (self._advice_for_text if is_text else {})
                check = partial(check_status, advice=advice)
                quote = partial(quoted, turn=turn, body=body, secrets=self._secrets)
                if not 200 <= response.status < 300:
                    wait = next(filter(None, map(response.headers.get, _RETRY_AFTER)), None)
                    told = quote(complaint(await read_error(response)))
                    check(response.status, wait, told, is_page=response.content_type == _PAGE)
                yield AgentResponse(response, self._limit, check, quote)
        except self._no_answer as exc:
            # The class says enough; the text may quote the URL with what is secret in it.
            raise Transient(f"agent did not answer: {type(exc).__name__}") from exc


def check_status(
    status: int,
    retry_after: str | None = None,
    quote: str = "",
    advice: Mapping[int, str] = _ADVICE,
    *,
    is_page: bool = False,
) -> None:
    """
    Raise what *status* means unless it is a success; *retry_after* is the header.

    What a proxy on the way answers, as it may if the answer *is_page*, is no verdict.
    The text names the status, the *advice* for it, and the server's *quote*.
    """
    if 200 <= status < 300:
        return
    hint = _REDIRECTED if 300 <= status < 400 else advice.get(status, "")
    reason = "; ".join(filter(None, [hint, quote and f"the server says: {quote}"]))
    text = f"agent answered {status}{reason and f': {reason}'}"
    if is_transient(status) or (is_page and status in _OF_A_PROXY):
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

    async def json(self) -> Any:  # noqa: ANN401 - this is where JSON enters
        """
        Return the body as JSON, whatever type it claims to have.

        `Permanent` if it is none, but `Transient` for what may heal: no body at all, a body
        that ends in the middle, a web page.
        """
        body = bytearray()
        while not self._content.at_eof():
            body += await self._content.readany()
            if len(body) > self._limit:
                raise Permanent(f"agent's answer has more than {self._limit} bytes")
        return self._parse(bytes(body))

    async def frames(self, is_last: Callable[[JsonObject], bool]) -> AsyncIterator[JsonObject]:
        """
        Yield each event's JSON object, up to the one that *is_last* or a `[DONE]`.

        A stream that ends before that was cut off: `Transient`.
        """
        parser = SseParser(self._limit)
        async for chunk in self._content.iter_any():
            for event in filter(str.strip, parser.feed(chunk)):
                if event == _STREAM_END:
                    return
                yield (frame := require_object(self._parse(event)))
                if is_last(frame):
                    return
        raise Transient("agent's stream ended early")

    def _parse(self, raw: bytes | str) -> Any:  # noqa: ANN401 - this is where JSON enters
        try:
            return fast_json.load(raw)
        except ValueError:
            text = raw if isinstance(raw, str) else decoded(raw, self._charset)
        try:
            return fast_json.load(text)
        except ValueError as exc:
            is_deep = "deep" in str(exc)
        if not text.strip():
            raise Transient(f"agent answered {self.status} with an empty body")
        if text.lstrip().startswith("<") or self._content_type == "text/html":  # "starting up"
            raise Transient(f"agent answered {self._content_type}, not JSON: a web page")
        if not is_deep and is_cut(text):
            raise Transient("agent's answer ended early: its JSON stops in the middle")
        raise Permanent(f"agent answered {self._content_type}, not JSON")


def decoded(body: bytes, charset: str | None) -> str:
    """
    Return *body* as text: UTF-8, with or without a BOM, else the *charset* that it declares.

    A character that the end cuts is left out; what can't be read becomes U+FFFD.
    """
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(body)
    except UnicodeDecodeError:
        pass
    try:
        name = codecs.lookup(charset or "").name
    except LookupError:
        name = ""
    return body.decode(name if name in _CHARSETS else "utf-8", "replace")


def is_cut(text: str) -> bool:
    """Return whether *text* begins a JSON object or list and stops before its end."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        if token["open_string"] is not None:
            return True
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
    return depth > 0


def require_object(parsed: object) -> JsonObject:
    """Return *parsed* if it is a JSON object, else raise `Permanent`."""
    if not isinstance(parsed, dict):
        raise Permanent(f"agent answered a JSON {type(parsed).__name__}, not an object")
    return parsed


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
        events: list[str] = []
        for line in lines:
            if line:
                field, _, value = line.partition(":")
                if field == "data":
                    self._fields.append(value.removeprefix(" "))
                    self._held += len(line)
                continue
            if self._fields:  # an empty line ends the event, if it has data
                events.append("\n".join(self._fields))
            self._fields, self._held = [], 0
        if self._held + len(self._line) > self._limit:
            raise Permanent(f"agent's stream has an event of more than {self._limit} characters")
        return events
