"""How many send calls an account may make in a second."""

from __future__ import annotations

import time

from .answers import GraphError


class Rate:
    """Counts calls per account and second."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int]] = {}

    def count(self, account_id: str, limit: int) -> None:
        """Count one call; raise the error of Meta when it is more than *limit* (0 is none)."""
        if not limit:
            return
        second = int(time.monotonic())
        counted_in, count = self._counts.get(account_id, (second, 0))
        count = count + 1 if counted_in == second else 1
        self._counts[account_id] = (second, count)
        if count > limit:
            raise GraphError(613, 2534040, "Calls to this api have exceeded the rate limit.")
