"""Meta's check of a webhook before it posts there: does it know the token, and can it echo?"""

from __future__ import annotations

import secrets

import aiohttp


class VerificationFailed(Exception):
    """The webhook did not answer as Meta wants; the message says how it answered."""


async def verify(session: aiohttp.ClientSession, url: str, verify_token: str) -> None:
    """Ask *url* for a challenge and return if it comes back as sent."""
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
