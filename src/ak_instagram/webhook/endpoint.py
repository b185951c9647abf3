"""
`/instagram/webhook`: verify, parse, store, answer.

A plain ASGI callable, since this is what Meta waits for: Starlette's `Request` and
`Response` would cost more than reading, checking and parsing together.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping, Sequence
from functools import cache
from logging import ERROR, INFO, WARNING
from operator import attrgetter
from typing import NamedTuple, Protocol

import prometheus_client
import structlog
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable, WebhookRejected
from ak_instagram.meta.events import STORED, Event, Kind, Webhook
from ak_instagram.meta.parse import parse_webhook

from .signature import answer_handshake, is_well_formed, matching_secret

_HINT = (
    "no configured secret signed this: Instagram Login webhooks are signed with the Instagram app"
    " secret, not the Meta app secret; set instagram.app_secret (several separated by commas)"
)


MAX_BYTES = 4 * 1024 * 1024  # a thousand updates, the most Meta sends at once, are 1 to 4 MiB
SMALL_BYTES = 64 * 1024  # nearly all that Meta sends is smaller
SLOTS = 8  # bodies beyond `SMALL_BYTES` that are read at once
WITHIN = 30.0  # seconds from a body's first bytes to its last
# After these the connection is closed: what else would come is not waited for.
_CLOSED_AFTER = frozenset((403, 408))


class Response(NamedTuple):
    """The answer to a request: a status and plain text."""

    status: int
    text: str

    async def send(self, send: Send) -> None:
        """Send it, as ASGI's two messages."""
        body = self.text.encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        if self.status in _CLOSED_AFTER:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class AccessLogEntry(NamedTuple):
    """
    One request as it is reported.

    *level* (`logging`'s), *event* and *facts* make the log line; the events of *webhook*
    are counted.
    """

    level: int
    event: str
    facts: Mapping[str, object]
    webhook: Webhook | None = None


class AccessLog:
    """Reports requests soon after they were answered: nobody waits for it."""

    def __init__(self) -> None:
        # Bound here, once: a line is written for every webhook.
        self._log = structlog.get_logger().bind()
        self._pending: list[tuple[Response, AccessLogEntry, float]] = []

    def add(self, response: Response, entry: AccessLogEntry, seconds: float) -> None:
        """Report it with all others of this moment, since requests share commits."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self.write)
        self._pending.append((response, entry, seconds))

    def write(self) -> None:
        """Count and log what is pending."""
        pending, self._pending = self._pending, []
        counted: Counter[tuple[prometheus_client.Counter, *tuple[str, ...]]] = Counter()
        for response, entry, seconds in pending:
            counted[metrics.WEBHOOKS, str(response.status)] += 1
            if entry.webhook is not None:
                for event in entry.webhook.events:
                    counted[metrics.EVENTS, event.kind, event.label] += 1
                metrics.EVENTS_UNREADABLE.inc(entry.webhook.unreadable)
            metrics.WEBHOOK_SECONDS.observe(seconds)
            fields = {"status": response.status, "ms": round(seconds * 1000, 2), **entry.facts}
            self._log.log(entry.level, entry.event, **fields)
        for (counter, *labels), number in counted.items():
            labelled(counter, *labels).inc(number)


class EventSink(Protocol):
    """The part of the store that makes events durable."""

    def put(self, events: Sequence[Event], /) -> Awaitable[None]:
        """Wait until *events* are durable; raises `errors.StoreUnavailable` if they can't be."""
        ...


class WebhookEndpoint:
    """
    Answers Meta; events go into *store* before their webhook is answered.

    Any of *app_secrets* may have signed a webhook. Without one every webhook is taken.
    Events of other kinds than *kept* are counted and forgotten.
    """

    def __init__(
        self,
        store: EventSink,
        *,
        verify_token: str,
        app_secrets: Sequence[str],
        kept: Collection[Kind] = STORED,
        bodies: BodyReader | None = None,
    ) -> None:
        self._store = store
        self._verify_token = verify_token
        self._secrets = tuple(secret.encode() for secret in app_secrets)
        self._kept = kept
        self._bodies = bodies or BodyReader()
        self._access_log = AccessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; it is reported once it has been answered."""
        began = time.perf_counter()
        try:
            if scope["method"] == "POST":
                response, entry = await self.take(scope, receive)
            else:
                response, entry = self.shake_hands(scope)
        except WebhookRejected as exc:
            response = Response(exc.status, "rejected")
            entry = AccessLogEntry(
                WARNING, "webhook.rejected", {"method": scope["method"], "reason": str(exc)}
            )
        except StoreUnavailable as exc:
            response = Response(503, "try again")
            entry = AccessLogEntry(ERROR, "webhook.not_stored", {"reason": str(exc)})
        await response.send(send)
        self._access_log.add(response, entry, time.perf_counter() - began)

    def shake_hands(self, scope: Scope) -> tuple[Response, AccessLogEntry]:
        """Answer the GET with which Meta tries the URL, and refuse other methods."""
        if scope["method"] != "GET":
            entry = AccessLogEntry(
                WARNING, "webhook.rejected", {"method": scope["method"], "reason": "method"}
            )
            return Response(405, "GET or POST"), entry
        challenge = answer_handshake(QueryParams(scope["query_string"]), self._verify_token)
        return Response(200, challenge), AccessLogEntry(INFO, "webhook.verified", {})

    async def take(self, scope: Scope, receive: Receive) -> tuple[Response, AccessLogEntry]:
        """Verify a webhook, parse it, and return once what it brings is durable."""
        signature = header(scope, b"x-hub-signature-256")
        announced = header(scope, b"content-length")
        if self._secrets and not is_well_formed(signature):
            raise unsigned(signature)  # without reading what a stranger sends
        body = await self._bodies.read(receive, announced)
        secret = matching_secret(self._secrets, signature, body) if self._secrets else None
        if self._secrets:
            if secret is None:
                raise unsigned(signature)
            labelled(metrics.SIGNATURES, str(secret)).inc()
        webhook = parse_webhook(body, received=time.time_ns() // 1_000_000)
        stored = [it for it in webhook.events if it.kind in self._kept and it.contact]
        if stored:
            await self._store.put(stored)
        facts = {
            "events": list(map(attrgetter("label"), webhook.events)),
            "stored": len(stored),
            "unreadable": webhook.unreadable,
            "secret": secret,
            "bytes": len(body),
        }
        return Response(200, "EVENT_RECEIVED"), AccessLogEntry(
            INFO, "webhook.received", facts, webhook
        )


# --- what is read of a request ------------------------------------------------------


class BodyReader:
    """
    Reads the bodies of all requests, and bounds the memory that unfinished ones hold.

    A body that is not small waits for a slot; meanwhile uvicorn reads no more of it.
    *within* is the seconds from a body's first bytes to its last.
    """

    def __init__(self, *, within: float = WITHIN) -> None:
        self._slots = asyncio.Semaphore(SLOTS)
        self._within = within

    async def read(self, receive: Receive, announced: bytes | None = None) -> bytes:
        """
        Return the raw body; *announced* is its `Content-Length`, if there is one.

        Raises `errors.WebhookRejected`: 413 as soon as it is known to exceed `MAX_BYTES`,
        408 if it is not there in time, 400 if the sender went away.
        """
        if announced and announced.isdigit() and int(announced) > MAX_BYTES:
            raise too_large()
        # Nearly always this is all of it, so it has no time limit, which would cost more than
        # the reading does. A sender of no first byte holds no more than an idle connection.
        first, is_more = await next_bytes(receive, before=0)
        if not is_more:
            return first
        body = bytearray(first)
        try:
            async with asyncio.timeout(self._within):
                if await read_on(body, receive, up_to=SMALL_BYTES):
                    async with self._slots:
                        await read_on(body, receive, up_to=MAX_BYTES)
        except TimeoutError:
            raise WebhookRejected(408, f"the body took longer than {self._within:g} s") from None
        return bytes(body)


async def read_on(body: bytearray, receive: Receive, up_to: int) -> bool:
    """Add to *body* until it ends or has more than *up_to* bytes; return whether there is more."""
    is_more = True
    while is_more and len(body) <= up_to:
        received, is_more = await next_bytes(receive, before=len(body))
        body += received
    return is_more


async def next_bytes(receive: Receive, before: int) -> tuple[bytes, bool]:
    """Return the next bytes of a body that has *before* already, and whether there is more."""
    message = await receive()
    if message["type"] != "http.request":
        raise WebhookRejected(400, "the sender went away")
    received: bytes = message.get("body", b"")
    if before + len(received) > MAX_BYTES:
        raise too_large()
    return received, message.get("more_body", False)


def too_large() -> WebhookRejected:
    """Return the refusal of a body that exceeds `MAX_BYTES`."""
    return WebhookRejected(413, f"the body is larger than {MAX_BYTES} bytes")


def unsigned(signature: bytes | None) -> WebhookRejected:
    """Return the refusal of a *signature* that is none of our secrets', and count it."""
    labelled(metrics.SIGNATURES, "none").inc()
    return WebhookRejected(403, _HINT if signature else "X-Hub-Signature-256 is missing")


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header called *name* (lower case), if there is one."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


@cache
def labelled(counter: prometheus_client.Counter, *labels: str) -> prometheus_client.Counter:
    """Return *counter* with *labels*, looked up once: that costs more than counting."""
    return counter.labels(*labels)
