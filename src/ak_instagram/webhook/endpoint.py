"""
`/instagram/webhook`: verify, store, answer.

A plain ASGI callable, since this is what Meta waits for: Starlette's `Request` and
`Response` would cost more than reading, checking and parsing together.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple, Protocol

import structlog
from prometheus_client import Counter as Metric
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable, WebhookRejected
from ak_instagram.settings.values import Instagram
from ak_instagram.store.values import Arrival

from .body import header, read_body
from .content import Echo
from .events import Event, Kind, Webhook, parse_webhook
from .keys import dedup_key, edit_keys
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


class Answer(NamedTuple):
    """What a request is answered, and what is told of it: a log line of *level*, with *facts*."""

    status: int
    text: str
    level: Literal["info", "warning", "error"]
    event: str
    facts: Mapping[str, object]
    webhook: Webhook | None = None


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
        self._untold: list[tuple[Answer, float]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; it is told of once it has been answered."""
        began = time.perf_counter()
        try:
            if scope["method"] == "POST":
                answer = await self._take(scope, receive)
            else:
                answer = self._verify(scope)
        except WebhookRejected as exc:
            answer = Answer(exc.status, "rejected", "warning", "webhook.rejected", _reason(exc))
        except StoreUnavailable as exc:
            answer = Answer(503, "try again", "error", "webhook.not_stored", _reason(exc))
        await _send(send, answer)
        self._tell_later(answer, time.perf_counter() - began)

    def _tell_later(self, answer: Answer, seconds: float) -> None:
        """Have *answer* told with all others of this moment: requests share commits."""
        if not self._untold:
            asyncio.get_running_loop().call_soon(self._tell)
        self._untold.append((answer, seconds))

    def _tell(self) -> None:
        """Count and log what has been answered."""
        untold, self._untold = self._untold, []
        _count([answer for answer, _ in untold])
        for answer, seconds in untold:
            metrics.WEBHOOK_SECONDS.observe(seconds)
            tell = getattr(self._log, answer.level)
            tell(answer.event, status=answer.status, ms=round(seconds * 1000, 2), **answer.facts)

    def _verify(self, scope: Scope) -> Answer:
        if scope["method"] != "GET":
            return Answer(405, "GET or POST", "warning", "webhook.rejected", {"reason": "method"})
        challenge = answer_challenge(QueryParams(scope["query_string"]), self._verify_token)
        return Answer(200, challenge, "info", "webhook.verified", {})

    async def _take(self, scope: Scope, receive: Receive) -> Answer:
        body = await read_body(scope, receive)
        if body is None:
            raise WebhookRejected(400, "the sender went away")
        secret = self._check(header(scope, b"x-hub-signature-256"), body)
        webhook = parse_webhook(body, received=time.time_ns() // 1_000_000)
        arrivals = [_arrival(it) for it in webhook.events if it.kind in _STORED and it.contact]
        if arrivals:
            inbox: Inbox = scope["state"]["store"]
            await inbox.put(arrivals)
        facts: dict[str, object] = {
            "events": [event.label for event in webhook.events],
            "stored": len(arrivals),
            "unreadable": webhook.unreadable,
            "secret": secret,
            "bytes": len(body),
        }
        return Answer(200, "EVENT_RECEIVED", "info", "webhook.received", facts, webhook)

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
        takes_back_edits=_edits_unsaid(event),
    )


def _said(echo: Event) -> str | None:
    content = read_content(echo.kind, echo.payload)
    return content.text if isinstance(content, Echo) else None


def _unsaid(event: Event) -> str | None:
    """Return the key of the message that *event* takes back, if it is an unsend."""
    if event.kind is not Kind.UNSEND or event.mid is None:
        return None
    return dedup_key(Kind.MESSAGE, event.account, event.mid)


def _edits_unsaid(event: Event) -> tuple[str, ...]:
    """Return the keys of that message's edits."""
    if event.kind is not Kind.UNSEND or event.mid is None:
        return ()
    return edit_keys(event.account, event.mid)


def _reason(exc: Exception) -> dict[str, object]:
    """Return why something was refused, for the log."""
    return {"reason": str(exc)}


def _count(answers: Sequence[Answer]) -> None:
    for status, number in Counter(answer.status for answer in answers).items():
        _answered_with(status).inc(number)
    webhooks = [answer.webhook for answer in answers if answer.webhook is not None]
    events = Counter((it.kind, it.label) for webhook in webhooks for it in webhook.events)
    for (kind, label), number in events.items():
        _events_of(kind.value, label).inc(number)
    metrics.EVENTS_UNREADABLE.inc(sum(webhook.unreadable for webhook in webhooks))


# Looking a metric's labels up costs more than counting: each is looked up once.


@cache
def _answered_with(status: int) -> Metric:
    return metrics.WEBHOOKS.labels(str(status))


@cache
def _signed_by(position: int | None) -> Metric:
    return metrics.SIGNATURES.labels("none" if position is None else str(position))


@cache
def _events_of(kind: str, label: str) -> Metric:
    return metrics.EVENTS.labels(kind, label)


async def _send(send: Send, answer: Answer) -> None:
    body = answer.text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
