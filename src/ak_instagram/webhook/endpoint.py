"""
`/instagram/webhook`: verify, parse, store, answer.

A plain ASGI callable, since this is what Meta waits for: Starlette's `Request` and
`Response` would cost more than reading, checking and parsing together.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from logging import ERROR, INFO, WARNING
from typing import Protocol

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable, WebhookRejected
from ak_instagram.meta.events import Event
from ak_instagram.meta.parse import parse_webhook

from .body import BodyReader, header
from .response import AccessLog, AccessLogEntry, Response, labelled
from .signature import answer_handshake, is_well_formed, matching_secret

_HINT = (
    "no configured secret signed this: Instagram Login webhooks are signed with the Instagram app"
    " secret, not the Meta app secret; set instagram.app_secret (several separated by commas)"
)
_RECEIVED = Response(200, "EVENT_RECEIVED")


class EventSink(Protocol):
    """The part of the store that makes events durable."""

    async def put(self, events: Sequence[Event], /) -> None:
        """Return once *events* are durable; raise `errors.StoreUnavailable` if they can't be."""
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
        if self._secrets and not is_well_formed(signature):
            raise unsigned(signature)  # without reading what a stranger sends
        body = await self._bodies.read(scope, receive)
        secret = self.verify(signature, body)
        webhook = parse_webhook(body, received=time.time_ns() // 1_000_000)
        stored = [event for event in webhook.events if event.is_stored]
        if stored:
            await self._store.put(stored)
        facts = {
            "events": [event.label for event in webhook.events],
            "stored": len(stored),
            "unreadable": webhook.unreadable,
            "secret": secret,
            "bytes": len(body),
        }
        return _RECEIVED, AccessLogEntry(INFO, "webhook.received", facts, webhook)

    def verify(self, signature: bytes | None, body: bytes) -> int | None:
        """Return the position of the secret that signed *body*, `None` if none is configured."""
        if not self._secrets:
            return None
        position = matching_secret(self._secrets, signature, body)
        if position is None:
            raise unsigned(signature)
        labelled(metrics.SIGNATURES, str(position)).inc()
        return position


def unsigned(signature: bytes | None) -> WebhookRejected:
    """Return the refusal of a *signature* that is none of our secrets', and count it."""
    labelled(metrics.SIGNATURES, "none").inc()
    return WebhookRejected(403, _HINT if signature else "X-Hub-Signature-256 is missing")
