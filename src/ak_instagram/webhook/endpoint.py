"""
`/instagram/webhook`: verify, store, answer.

A plain ASGI callable, since this is what Meta waits for: Starlette's `Request` and
`Response` would cost more than reading, checking and parsing together.
"""

from __future__ import annotations

import time
from logging import ERROR, INFO, WARNING
from typing import Protocol

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from ak_instagram.errors import StoreUnavailable, WebhookRejected
from ak_instagram.settings.values import Instagram
from ak_instagram.store.values import Arrival

from .arrivals import arrivals_of
from .body import header, read_body
from .parsing import parse_webhook
from .signature import matching_secret
from .telling import Answer, Teller, count_signature
from .verification import answer_challenge

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
        self._teller = Teller()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; it is told of once it has been answered."""
        began = time.perf_counter()
        try:
            if scope["method"] == "POST":
                answer = await self._take(scope, receive)
            else:
                answer = self._verify(scope)
        except WebhookRejected as exc:
            answer = Answer(exc.status, "rejected", WARNING, "webhook.rejected", _reason(exc))
        except StoreUnavailable as exc:
            answer = Answer(503, "try again", ERROR, "webhook.not_stored", _reason(exc))
        await _send(send, answer)
        self._teller.tell_later(answer, time.perf_counter() - began)

    def _verify(self, scope: Scope) -> Answer:
        if scope["method"] != "GET":
            return Answer(405, "GET or POST", WARNING, "webhook.rejected", {"reason": "method"})
        challenge = answer_challenge(QueryParams(scope["query_string"]), self._verify_token)
        return Answer(200, challenge, INFO, "webhook.verified", {})

    async def _take(self, scope: Scope, receive: Receive) -> Answer:
        body = await read_body(scope, receive)
        if body is None:
            raise WebhookRejected(400, "the sender went away")
        secret = self._check(header(scope, b"x-hub-signature-256"), body)
        webhook = parse_webhook(body, received=time.time_ns() // 1_000_000)
        arrivals = arrivals_of(webhook.events)
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
        return Answer(200, "EVENT_RECEIVED", INFO, "webhook.received", facts, webhook)

    def _check(self, signature: bytes | None, body: bytes) -> int | None:
        """Return the position of the secret that signed *body*, `None` if none is configured."""
        if not self._secrets:
            return None
        position = matching_secret(self._secrets, signature, body)
        count_signature(position)
        if position is None:
            raise WebhookRejected(403, _HINT if signature else "X-Hub-Signature-256 is missing")
        return position


def _reason(exc: Exception) -> dict[str, object]:
    """Return why something was refused, for the log."""
    return {"reason": str(exc)}


async def _send(send: Send, answer: Answer) -> None:
    body = answer.text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
