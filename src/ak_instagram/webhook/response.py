"""What has been answered is reported: counted, and logged in one line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import prometheus_client
import structlog

from ak_instagram import metrics
from ak_instagram.meta.events import Webhook


class Response(NamedTuple):
    """
    What a request is answered, and what is reported of it.

    *level* (`logging`'s), *event* and *facts* make the log line; the events of *webhook*
    are counted.
    """

    status: int
    text: str
    level: int
    event: str
    facts: Mapping[str, object]
    webhook: Webhook | None = None


class AccessLog:
    """Reports answers soon after they were given: nobody waits for it."""

    def __init__(self) -> None:
        # Bound here, once: a line is written for every webhook.
        self._log = structlog.get_logger().bind()
        self._pending: list[tuple[Response, float]] = []

    def report_later(self, response: Response, seconds: float) -> None:
        """Report *answer* with all others of this moment: requests share commits."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._report)
        self._pending.append((response, seconds))

    def _report(self) -> None:
        pending, self._pending = self._pending, []
        _count([response for response, _ in pending])
        for response, seconds in pending:
            metrics.WEBHOOK_SECONDS.observe(seconds)
            facts = {"status": response.status, "ms": round(seconds * 1000, 2), **response.facts}
            self._log.log(response.level, response.event, **facts)


def count_signature(secret: int | None) -> None:
    """Count a webhook that the secret at this position signed, `None` if none of ours did."""
    _signed_by(secret).inc()


def _count(answers: Sequence[Response]) -> None:
    for status, number in Counter(response.status for response in answers).items():
        _answered_with(status).inc(number)
    webhooks = [response.webhook for response in answers if response.webhook is not None]
    events = Counter((it.kind, it.label) for webhook in webhooks for it in webhook.events)
    for (kind, label), number in events.items():
        _events_of(kind.value, label).inc(number)
    metrics.EVENTS_UNREADABLE.inc(sum(webhook.unreadable for webhook in webhooks))


# Looking a metric's labels up costs more than counting: each is looked up once.


@cache
def _answered_with(status: int) -> prometheus_client.Counter:
    return metrics.WEBHOOKS.labels(str(status))


@cache
def _signed_by(position: int | None) -> prometheus_client.Counter:
    return metrics.SIGNATURES.labels("none" if position is None else str(position))


@cache
def _events_of(kind: str, label: str) -> prometheus_client.Counter:
    return metrics.EVENTS.labels(kind, label)
