"""No account sends faster than Meta lets it."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable


class RateLimits:
    """
    Lets each account send *rate* pieces in any one second, and makes others wait their turn.

    The limit holds for every second, not only on average: a bucket that also leaks
    while it is being filled lets almost twice as many through in its first one.
    """

    def __init__(
        self,
        rate: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        burst = max(1, int(rate))
        self._rate = rate
        self._period = burst / rate
        self._latest = defaultdict[str, deque[float]](lambda: deque(maxlen=burst))
        self._latest_back = defaultdict[str, float](float)
        self._now = now
        self._sleep = sleep

    async def acquire(self, account: str) -> None:
        """Return when *account* may send; at once, without giving way, if it may now."""
        now = self._now()
        turn = self._turn(account, now)
        self._latest[account].append(turn)
        if turn > now:
            await self._sleep(turn - now)

    def put_off(self, account: str, patience: float) -> float:
        """
        Return 0 if `acquire` would keep *account* waiting for *patience* seconds at most.

        Otherwise return in how many seconds to come back. Each of those who are put off
        gets a time of its own, so that they don't all come back at once.
        """
        now = self._now()
        turn = self._turn(account, now)
        if turn - now <= patience:
            return 0.0
        back = max(turn, self._latest_back[account] + 1 / self._rate)
        self._latest_back[account] = back
        return back - now

    def _turn(self, account: str, now: float) -> float:
        """Return when the next of *account* may send."""
        latest = self._latest[account]
        is_full = len(latest) == latest.maxlen
        return max(now, latest[0] + self._period) if is_full else now
