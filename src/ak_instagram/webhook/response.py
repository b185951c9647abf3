"""The response to a request, and the line of the access log that reports it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import prometheus_client
import structlog
from starlette.types import Send

from ak_instagram import metrics
from ak_instagram.meta.events import Webhook

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
            facts = {"status": response.status, "ms": round(seconds * 1000, 2), **entry.facts}
            self._log.log(entry.level, entry.event, **facts)
        for (counter, *labels), number in counted.items():
            labelled(counter, *labels).inc(number)


@cache
def labelled(counter: prometheus_client.Counter, *labels: str) -> prometheus_client.Counter:
    """Return *counter* with *labels*, looked up once: that costs more than counting."""
    return counter.labels(*labels)
