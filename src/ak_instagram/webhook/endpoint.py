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
from ak_instagram.meta.parse import parse_webhook
from ak_instagram.settings.model import InstagramSettings
from ak_instagram.store.values import Arrival

from .arrivals import arrivals_of
from .body import BodyReader, header
from .challenge import answer_challenge
from .response import AccessLog, Response, count_signature
from .signature import is_well_formed, matching_secret

_HINT = (
    "no configured secret signed this: Instagram Login webhooks are signed with the Instagram app"
    " secret, not the Meta app secret; set instagram.app_secret (several separated by commas)"
)
# After these the connection is closed: what else would come is not waited for.
_CLOSED_AFTER = frozenset((403, 408))


class Inbox(Protocol):
    """Where events become durable."""

    async def put(self, arrivals: list[Arrival]) -> None:
        """Return once *arrivals* are durable; raise `errors.StoreUnavailable` if they can't be."""
        ...


class WebhookEndpoint:
    """Answers Meta; the inbox is found in the lifespan's state as `store`."""

    def __init__(self, settings: InstagramSettings) -> None:
        self._verify_token = settings.verify_token
        self._secrets = tuple(secret.encode() for secret in settings.app_secrets)
        self._bodies = BodyReader()
        self._access_log = AccessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; it is reported once it has been answered."""
        began = time.perf_counter()
        try:
            if scope["method"] == "POST":
                response = await self._take(scope, receive)
            else:
                response = self._verify(scope)
        except WebhookRejected as exc:
            response = Response(exc.status, "rejected", WARNING, "webhook.rejected", _reason(exc))
        except StoreUnavailable as exc:
            response = Response(503, "try again", ERROR, "webhook.not_stored", _reason(exc))
        await _send(send, response)
        self._access_log.report_later(response, time.perf_counter() - began)

    def _verify(self, scope: Scope) -> Response:
        if scope["method"] != "GET":
            return Response(405, "GET or POST", WARNING, "webhook.rejected", {"reason": "method"})
        challenge = answer_challenge(QueryParams(scope["query_string"]), self._verify_token)
        return Response(200, challenge, INFO, "webhook.verified", {})

    async def _take(self, scope: Scope, receive: Receive) -> Response:
        signature = header(scope, b"x-hub-signature-256")
        if self._secrets and not is_well_formed(signature):
            raise _unsigned(signature)  # without reading what a stranger sends
        body = await self._bodies.read(scope, receive)
        secret = self._check(signature, body)
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
        return Response(200, "EVENT_RECEIVED", INFO, "webhook.received", facts, webhook)

    def _check(self, signature: bytes | None, body: bytes) -> int | None:
        """Return the position of the secret that signed *body*, `None` if none is configured."""
        if not self._secrets:
            return None
        position = matching_secret(self._secrets, signature, body)
        count_signature(position)
        if position is None:
            raise WebhookRejected(403, _HINT)
        return position


def _unsigned(signature: bytes | None) -> WebhookRejected:
    """Return the refusal of a *signature* that no secret could have made, and count it."""
    count_signature(None)
    return WebhookRejected(403, _HINT if signature else "X-Hub-Signature-256 is missing")


def _reason(exc: Exception) -> dict[str, object]:
    """Return why something was refused, for the log."""
    return {"reason": str(exc)}


async def _send(send: Send, response: Response) -> None:
    body = response.text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if response.status in _CLOSED_AFTER:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
