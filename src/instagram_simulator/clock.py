"""The world's clock: the real one, and what has been added to it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Tells the time in milliseconds, as webhooks do; `advance` makes hours pass at once."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        """Return milliseconds since 1970."""
        return time.time_ns() // 1_000_000 + self._ahead

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass; the time between two ticks stays what it is."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._ahead += round(seconds * 1000)


def graph_time(milliseconds: int) -> str:
    """Return *milliseconds* as the Graph API writes times, `2026-01-31T12:00:00+0000`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
