"""
How long an HTTP server asks to be left alone.

https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_retry_after(value: str | None, now: datetime, longest: float) -> float | None:
    """
    Return how many seconds *value* asks for, from 0 to *longest*.

    `None` without a header or if it can't be read.
    """
    try:
        seconds = _seconds((value or "").strip(), now)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), longest)


def _seconds(value: str, now: datetime) -> float:
    """Read *value* as one of the header's two forms: seconds, or a date."""
    if value.isdecimal():
        return float(value)
    return (http_date(value) - now).total_seconds()


def http_date(value: str) -> datetime:
    """Return the moment of an HTTP header; raise `ValueError` or `OverflowError` if it is none."""
    date = parsedate_to_datetime(value)
    # No zone, or "-0000", gives a naive datetime; HTTP dates are always in GMT.
    return date if date.tzinfo else date.replace(tzinfo=UTC)
