"""
A token's life: how old it is, when it is to be refreshed, and when to warn that it ends.

A token of Instagram Login lives 60 days, and can be refreshed from the age of a day until it
expires. Nobody can ask when one expires: Meta says it when the token is made or refreshed.
https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from ak_instagram.backoff import Backoff

DAY = 86_400_000  # milliseconds
LIFE = 60 * DAY
YOUNGEST = DAY
WARN_AT = (2, 5, 10)  # days left at which it is told
RETRY = Backoff(first=600, factor=4, longest=86_400)


@dataclass(frozen=True, slots=True)
class Expiry:
    """The end of a token: *at* (UTC ms), if it *is_known*; else it expires then at the latest."""

    at: int
    is_known: bool

    def days_left(self, now: int) -> int:
        """Return the whole days that are left; 0 on the last one, below 0 when it has expired."""
        return (self.at - now) // DAY

    def warning(self, now: int) -> int | None:
        """Return the number of days to warn of, 0 once it has expired, `None` for no warning."""
        left = self.at - now
        if left <= 0:
            return 0
        return next((days for days in WARN_AT if left <= days * DAY), None)


def expiry(first_seen_at: int, expires_at: int | None, *, expires: bool) -> Expiry | None:
    """
    Return when a token ends that was *first_seen_at* then, `None` if it never *expires*.

    *expires_at* is what Meta has said, if it has. Without that it is older than it looks.
    """
    if not expires:
        return None
    if expires_at is not None:
        return Expiry(expires_at, is_known=True)
    return Expiry(first_seen_at + LIFE, is_known=False)


def half_life(issued_at: int, expires_at: int) -> int:
    """Return when a token is to be refreshed: in the middle of its life, a day old at least."""
    return max(issued_at + (expires_at - issued_at) // 2, issued_at + YOUNGEST)


def retry_at(now: int, failures: int, expires_at: int | None) -> int | None:
    """
    Return when a refresh is tried again that has failed so often, `None` for never.

    Once a token has expired only a new one helps.
    """
    again = now + round(RETRY.wait(failures) * 1000)
    return None if expires_at is not None and again >= expires_at else again


def digest(token: str) -> str:
    """Return what *token* is known again by, and can't be found from."""
    return hashlib.sha256(token.encode()).hexdigest()


def masked(token: str) -> str:
    """Return as much of *token* as may be shown: its beginning, which tells the login, its end."""
    return f"{token[:4]}…{token[-4:]}" if len(token) >= 24 else f"{token[:4]}…"


def written(at: int | None) -> str:
    """Return a time in UTC ms as people and logs read it."""
    if at is None:
        return "never"
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="minutes")
