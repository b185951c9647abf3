"""One post to a webhook, the retries after it, and the handshake before the first."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from instagram_simulator.values import ProfessionalAccount

from .payload import WebhookEvent, envelope, signature

USER_AGENT = "facebookexternalua"


class VerificationFailed(Exception):
    """The webhook did not answer the handshake as Meta wants; the message says what it did."""


@dataclass(frozen=True, slots=True)
class Retries:
    """
    The retries of a webhook: one after each of *waits* seconds, then none.

    Meta tries for 36 hours, first at once and then less and less often; the default
    squeezes that into three minutes. *timeout* is how long an answer may take.
    """

    waits: tuple[float, ...] = (0.1, 0.3, 0.6, 1, 2, 4, 8, 15, 30, 60, 60)
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class WebhookPost:
    """
    A post that is the same, byte for byte, however often it is tried.

    *lane* names the order that it keeps: the person's, or its own for a batch.
    """

    number: int
    lane: str
    events: tuple[WebhookEvent, ...]
    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class PostOutcome:
    """The outcome of one attempt: a *status*, or `None` and *why* there was no answer."""

    status: int | None
    milliseconds: float
    why: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether Meta would be content."""
        return self.status == 200


def pack(
    number: int, account: ProfessionalAccount, events: Sequence[WebhookEvent], at: int
) -> WebhookPost:
    """Put *events* of one account into a signed post."""
    body = envelope(account.account_id, events, at)
    lanes = {event.igsid for event in events}
    lane = lanes.pop() if len(lanes) == 1 else f"batch-{number}"
    return WebhookPost(number, lane, tuple(events), body, signature(body, account.app_secret))


async def post(
    session: aiohttp.ClientSession, url: str, webhook: WebhookPost, within: float
) -> PostOutcome:
    """Post *webhook* once; never raises for what the network does."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Hub-Signature-256": webhook.signature,
    }
    limit = aiohttp.ClientTimeout(total=within)
    started = time.perf_counter()
    try:
        answer = session.post(
            url, data=webhook.body, headers=headers, timeout=limit, allow_redirects=False
        )
        async with answer as response:
            await response.read()
            return PostOutcome(response.status, milliseconds_since(started))
    except (aiohttp.ClientError, TimeoutError) as exc:
        return PostOutcome(None, milliseconds_since(started), type(exc).__name__)


def milliseconds_since(started: float) -> float:
    """Return what has passed since `time.perf_counter` said *started*, for the journal."""
    return round((time.perf_counter() - started) * 1000, 1)


async def shake_hands(session: aiohttp.ClientSession, url: str, verify_token: str) -> None:
    """Ask the webhook at *url* for a challenge, as Meta does; raise `VerificationFailed`."""
    challenge = str(secrets.randbelow(10**10))
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": challenge,
        "hub.verify_token": verify_token,
    }
    try:
        async with session.get(url, params=query, timeout=aiohttp.ClientTimeout(5)) as response:
            status, body = response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise VerificationFailed(f"no answer: {type(exc).__name__}") from exc
    if status != 200:
        raise VerificationFailed(f"it answered {status} instead of 200")
    if body != challenge:
        raise VerificationFailed("it answered 200, but not with the challenge")
