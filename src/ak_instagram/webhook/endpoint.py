"""
`/instagram/webhook`: verify, parse, store, answer.

A plain ASGI callable, since this is what Meta waits for: Starlette's `Request` and
`Response` would cost more than reading, checking and parsing together.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
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
from ak_instagram.meta.events import STORED, Event, Webhook
from ak_instagram.meta.parse import parse_webhook

from .body import BodyReader
from .signature import answer_handshake, is_well_formed, matching_secret

_HINT = (
    "no configured secret signed this: Instagram Login webhooks are signed with the Instagram app"
    " secret, not the Meta app secret; set instagram.app_secret (several separated by commas)"
)


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
    """

    def __init__(
        self,
        store: EventSink,
        *,
        verify_token: str,
        app_secrets: Sequence[str],
        bodies: BodyReader | None = None,
    ) -> None:
        self._store = store
        self._verify_token = verify_token
        self._secrets = tuple(secret.encode() for secret in app_secrets)
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
            entry = AccessLogEntry(WARNING, "webhook.rejected", {"reason": str(exc)})
        except StoreUnavailable as exc:
            response = Response(503, "try again")
            entry = AccessLogEntry(ERROR, "webhook.not_stored", {"reason": str(exc)})
        await response.send(send)
        self._access_log.add(response, entry, time.perf_counter() - began)

    def shake_hands(self, scope: Scope) -> tuple[Response, AccessLogEntry]:
        """Answer the GET with which Meta tries the URL, and refuse other methods."""
        if scope["method"] != "GET":
            entry = AccessLogEntry(WARNING, "webhook.rejected", {"reason": "method"})
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
        stored = [it for it in webhook.events if it.kind in STORED and it.contact]
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
