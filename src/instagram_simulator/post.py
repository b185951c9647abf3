"""One post to the webhook, and how long to wait before the next try."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from .envelope import Event, envelope, signature
from .values import Account

USER_AGENT = "facebookexternalua"


@dataclass(frozen=True, slots=True)
class Retries:
    """
    How often a webhook is tried again: after each of *waits* seconds, then never.

    Meta tries for 36 hours, first at once and then less and less often; the default
    squeezes that into three minutes. *timeout* is how long an answer may take.
    """

    waits: tuple[float, ...] = (0.1, 0.3, 0.6, 1, 2, 4, 8, 15, 30, 60, 60)
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    A post that is the same, byte for byte, however often it is tried.

    *lane* is whose order it keeps: the person's, or its own for a batch.
    """

    number: int
    lane: str
    events: tuple[Event, ...]
    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended: the *status*, or `None` and *why* there was no answer."""

    status: int | None
    milliseconds: float
    why: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether Meta would be content."""
        return self.status == 200


def pack(number: int, account: Account, events: Sequence[Event], at: int) -> Delivery:
    """Put *events* of one account into a signed post."""
    body = envelope(account.account_id, events, at)
    lanes = {event.igsid for event in events}
    lane = lanes.pop() if len(lanes) == 1 else f"batch-{number}"
    return Delivery(number, lane, tuple(events), body, signature(body, account.app_secret))


async def post(
    session: aiohttp.ClientSession, url: str, delivery: Delivery, within: float
) -> Outcome:
    """Try *delivery* once; never raises for what the network does."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Hub-Signature-256": delivery.signature,
    }
    limit = aiohttp.ClientTimeout(total=within)
    started = time.perf_counter()
    try:
        answer = session.post(
            url, data=delivery.body, headers=headers, timeout=limit, allow_redirects=False
        )
        async with answer as response:
            await response.read()
            return Outcome(response.status, _since(started))
    except (aiohttp.ClientError, TimeoutError) as exc:
        return Outcome(None, _since(started), type(exc).__name__)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
