"""
`/instagram/webhook`: verify, store, answer.

A plain ASGI callable, since this is what Meta waits for: Starlette's `Request` and
`Response` would cost more than reading, checking and parsing together.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from typing import Protocol

import structlog
from prometheus_client import Counter
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable, WebhookRejected
from ak_instagram.settings.values import Instagram
from ak_instagram.store.values import Arrival

from .body import header, read_body
from .content import Echo
from .events import Event, Kind, parse_webhook
from .keys import dedup_key
from .reading import read_content
from .signature import matching_secret
from .verification import answer_challenge

_WAKING = frozenset({Kind.MESSAGE, Kind.POSTBACK, Kind.UNSEND, Kind.EDIT})
_VOICES = frozenset({Kind.ECHO, Kind.STANDBY})  # somebody else may be answering
_STORED = _WAKING | _VOICES
_HINT = (
    "no configured secret signed this: Instagram Login webhooks are signed with the Instagram app"
    " secret, not the Meta app secret; set instagram.app_secret (several by commas)"
)


class Inbox(Protocol):
    """Where events become durable."""

    async def put(self, arrivals: list[Arrival]) -> None:
        """Return once *arrivals* are durable; raise `errors.StoreUnavailable` if they can't be."""
        ...


class WebhookEndpoint:
    """Answers Meta; the inbox is found in the lifespan's state as `store`."""

    def __init__(self, settings: Instagram) -> None:
        self._verify_token = settings.verify_token
        self._secrets = tuple(secret.encode() for secret in settings.app_secrets)
        # Bound here, once: a line is written for every webhook.
        self._log = structlog.get_logger().bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        began = time.perf_counter()
        try:
            if scope["method"] == "POST":
                status, text = await self._take(scope, receive)
            else:
                status, text = self._verify(scope)
        except WebhookRejected as exc:
            self._log.warning("webhook.rejected", status=exc.status, reason=str(exc))
            status, text = exc.status, "rejected"
        except StoreUnavailable as exc:
            self._log.error("webhook.not_stored", status=503, reason=str(exc))
            status, text = 503, "try again"
        _count(status, began)
        await _answer(send, status, text)

    def _verify(self, scope: Scope) -> tuple[int, str]:
        if scope["method"] != "GET":
            return 405, "GET or POST"
        challenge = answer_challenge(QueryParams(scope["query_string"]), self._verify_token)
        self._log.info("webhook.verified")
        return 200, challenge

    async def _take(self, scope: Scope, receive: Receive) -> tuple[int, str]:
        began = time.perf_counter()
        body = await read_body(scope, receive)
        if body is None:
            return 400, "incomplete"
        secret = self._check(header(scope, b"x-hub-signature-256"), body)
        webhook = parse_webhook(body, received=time.time_ns() // 1_000_000)
        arrivals = [_arrival(it) for it in webhook.events if it.kind in _STORED and it.contact]
        if arrivals:
            inbox: Inbox = scope["state"]["store"]
            await inbox.put(arrivals)
        _record(webhook.events, webhook.unreadable)
        self._log.info(
            "webhook.received",
            events=[event.label for event in webhook.events],
            stored=len(arrivals),
            unreadable=webhook.unreadable,
            secret=secret,
            bytes=len(body),
            ms=round((time.perf_counter() - began) * 1000, 2),
        )
        return 200, "EVENT_RECEIVED"

    def _check(self, signature: bytes | None, body: bytes) -> int | None:
        """Return the position of the secret that signed *body*, `None` if none is configured."""
        if not self._secrets:
            return None
        position = matching_secret(self._secrets, signature, body)
        _signed_by(position).inc()
        if position is None:
            raise WebhookRejected(403, _HINT if signature else "X-Hub-Signature-256 is missing")
        return position


def _arrival(event: Event) -> Arrival:
    is_echo = event.kind is Kind.ECHO
    return Arrival(
        account=event.account,
        contact=event.contact,
        kind=event.kind.value,
        key=event.key,
        mid=event.mid,
        at=event.at,
        payload="" if event.kind in _VOICES else event.payload,
        wakes=event.kind in _WAKING,
        echo_text=_said(event) if is_echo else None,
        is_standby=event.kind is Kind.STANDBY,
        takes_back=_unsaid(event),
    )


def _said(echo: Event) -> str | None:
    content = read_content(echo.kind, echo.payload)
    return content.text if isinstance(content, Echo) else None


def _unsaid(event: Event) -> str | None:
    """Return the key of the message that *event* takes back, if it is an unsend."""
    if event.kind is not Kind.UNSEND or event.mid is None:
        return None
    return dedup_key(Kind.MESSAGE, event.account, event.mid)


def _record(events: Iterable[Event], unreadable: int) -> None:
    for event in events:
        _events_of(event.kind.value, event.label).inc()
    if unreadable:
        metrics.EVENTS_UNREADABLE.inc(unreadable)


def _count(status: int, began: float) -> None:
    _answered_with(status).inc()
    metrics.WEBHOOK_SECONDS.observe(time.perf_counter() - began)


# Looking a metric's labels up costs more than counting: each is looked up once.


@cache
def _answered_with(status: int) -> Counter:
    return metrics.WEBHOOKS.labels(str(status))


@cache
def _signed_by(position: int | None) -> Counter:
    return metrics.SIGNATURES.labels("none" if position is None else str(position))


@cache
def _events_of(kind: str, label: str) -> Counter:
    return metrics.EVENTS.labels(kind, label)


async def _answer(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
