"""No account sends faster than Meta lets it, and who comes first sends first."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

MAX_PROMISES = 100_000  # remembered for each account; a piece beyond them queues anew
GRACE = 10.0  # seconds after its time in which a promise still counts


class RateLimiter:
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
        self._rate = rate
        self._queues: dict[str, _Queue] = {}
        self._now = now
        self._sleep = sleep

    async def acquire(self, account: str) -> None:
        """Return when *account* may send; at once, without giving way, if it may now."""
        now = self._now()
        turn = self._queue(account).take(now)
        if turn > now:
            await self._sleep(turn - now)

    def put_off(self, account: str, patience: float, key: int) -> float:
        """
        Return 0 if *key* may go on to `acquire`, and wait there for *patience* seconds at most.

        Otherwise return in how many seconds to come back. That is a promise: who comes
        later queues behind it, and *key* keeps its place until it comes.
        """
        return self._queue(account).put_off(key, self._now(), patience)

    def _queue(self, account: str) -> _Queue:
        if account not in self._queues:
            self._queues[account] = _Queue(self._rate)
        return self._queues[account]


class _Queue:
    """
    The turns of one account: those that were taken, and those that were promised.

    Only what is taken counts towards the rate. So a promise that nobody keeps (its piece
    was dropped, or went to another replica) costs nothing, and many that are kept too
    late at once do not go out at once.
    """

    def __init__(self, rate: float) -> None:
        burst = max(1, int(rate))
        self._spacing = 1 / rate
        self._period = burst / rate
        self._taken = deque[float](maxlen=burst)
        # When each may come back, and the latest of these: all of it *_delay* seconds later.
        self._promised = OrderedDict[int, float]()
        self._last = float("-inf")
        self._delay = 0.0

    def take(self, now: float) -> float:
        """Take the next turn, and return when it is."""
        turn = self._next(now)
        self._taken.append(turn)
        return turn

    def put_off(self, key: int, now: float, patience: float) -> float:
        """Return in how many seconds *key* is to come back, 0 if it may take a turn."""
        self._drop_stale(now)
        if key in self._promised:
            return self._welcome_back(key, now, patience)
        turn, last = self._next(now), self._last + self._delay
        # A turn that is free at this moment: whoever it was promised to is not there to take it.
        if turn == now or (last <= now and turn - now <= patience):
            return 0.0
        back = max(turn, last + self._spacing)
        self._promise(key, back)
        return back - now

    def _next(self, now: float) -> float:
        """Return when the next may send."""
        is_full = len(self._taken) == self._taken.maxlen
        return max(now, self._taken[0] + self._period) if is_full else now

    def _promise(self, key: int, back: float) -> None:
        self._last = back - self._delay
        if len(self._promised) < MAX_PROMISES:
            self._promised[key] = self._last

    def _welcome_back(self, key: int, now: float, patience: float) -> float:
        """Let *key* in, which was promised a turn; if that is late, so are all that follow."""
        due = self._promised[key] + self._delay
        back = max(due, self._next(now))
        if back - now <= patience:
            del self._promised[key]
            return 0.0
        self._delay += back - due
        return back - now

    def _drop_stale(self, now: float) -> None:
        """Forget who has not come back."""
        while self._promised:
            key, back = next(iter(self._promised.items()))
            if back + self._delay + GRACE >= now:
                return
            del self._promised[key]
