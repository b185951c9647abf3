"""Backoff: how long to wait before the next attempt, by our own policy or as a server asks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Chance = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Backoff:
    """
    Waits that grow by *factor* from *first* to *longest* seconds, for *max_attempts*.

    Each is shortened by up to half at random, so that what failed together is not
    tried together again. The defaults wait 1, 3, 9, 27, 81, 243 and 600 s at most: a
    quarter of an hour in all.
    """

    max_attempts: int = 8
    first: float = 1.0
    factor: float = 3.0
    longest: float = 600.0
    chance: Chance = random.random

    def wait_or_give_up(self, failures: int) -> float | None:
        """Return the seconds to wait after *failures* failures in a row, `None` to give up."""
        if failures >= self.max_attempts:
            return None
        return self.wait(failures)

    def wait(self, failures: int) -> float:
        """Return the seconds to wait after *failures* failures, however many there were."""
        longest = min(self.first * self.factor ** min(failures - 1, 50), self.longest)
        return longest * (1 - self.chance() / 2)


def parse_retry_after(value: str | None, now: datetime, longest: float) -> float | None:
    """
    Return how many seconds *value* asks for, from 0 to *longest*.

    It has one of the header's two forms: seconds, or a date. `None` without a header or
    if it can't be read.
    """
    text = (value or "").strip()
    try:
        seconds = float(text) if text.isdecimal() else (http_date(text) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), longest)


def http_date(value: str) -> datetime:
    """Return the moment of an HTTP header; raise `ValueError` or `OverflowError` if it is none."""
    date = parsedate_to_datetime(value)
    # No zone, or "-0000", gives a naive datetime; HTTP dates are always in GMT.
    return date if date.tzinfo else date.replace(tzinfo=UTC)
