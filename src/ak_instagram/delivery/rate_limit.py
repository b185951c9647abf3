"""Rate limiter: no account sends faster than Meta lets it, and the first to come sends first."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

MAX_PROMISES = 100_000  # remembered for each account; a piece beyond them queues anew
GRACE = 10.0  # seconds after its time in which a promise still counts


class Reservation(NamedTuple):
    """
    The answer to `RateLimiter.reserve`.

    *is_granted*: send in *after* seconds. Otherwise ask again in *after* seconds; a place in
    the queue is kept until then.
    """

    after: float
    is_granted: bool


class RateLimiter:
    """
    Lets each account send *rate* pieces in any one second, in the order in which they come.

    The limit holds for every second, not only on average: a bucket that also leaks
    while it is being filled lets almost twice as many through in its first one. *now* is
    a steady clock.
    """

    def __init__(self, rate: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._now = now
        self._queues: dict[str, SendQueue] = {}

    def reserve(
        self, account: str, key: int, patience: float, rate: float | None = None
    ) -> Reservation:
        """
        Reserve *account*'s next slot for the piece *key*, if it comes within *patience* seconds.

        A slot that was granted is used up. Without one, those who come later queue behind
        *key*, until it asks again. *rate* is the account's own, if it has one.
        """
        queue = self._queues.get(account)
        if queue is None:
            queue = self._queues[account] = SendQueue(rate or self._rate)
        return queue.reserve(key, self._now(), patience)


class SendQueue:
    """
    One account's slots: those that were taken, and those that were promised.

    Only taken slots count towards the rate. A promise that is not kept (its piece was
    dropped, or went to another replica) costs nothing, and many that are kept late at
    the same time do not go out at the same time.
    """

    def __init__(self, rate: float) -> None:
        burst = max(1, int(rate))
        self._spacing = 1 / rate
        self._period = burst / rate
        self._taken = deque[float](maxlen=burst)
        # When each key is to come back, and the latest of these times. A queue that turns out
        # to be late is late for all: *_delay* is added to each of them.
        self._promised = OrderedDict[int, float]()
        self._last = float("-inf")
        self._delay = 0.0

    def reserve(self, key: int, now: float, patience: float) -> Reservation:
        """Take the next slot for *key*, or promise it one; see `RateLimiter.reserve`."""
        self._drop_stale(now)
        is_full = len(self._taken) == self._taken.maxlen
        slot = max(now, self._taken[0] + self._period) if is_full else now
        if key in self._promised:
            due = self._promised[key] + self._delay
            back = max(due, slot)
            if back - now > patience:
                self._delay += back - due
                return Reservation(back - now, is_granted=False)
            del self._promised[key]
        # A slot that is free right now goes to whoever asks: nobody else is here to take it.
        elif slot > now and not (self._last + self._delay <= now and slot - now <= patience):
            return Reservation(self._promise(key, slot) - now, is_granted=False)
        self._taken.append(slot)
        return Reservation(slot - now, is_granted=True)

    def _promise(self, key: int, slot: float) -> float:
        """Put *key* at the end of the queue; return when it is to come back."""
        back = max(slot, self._last + self._delay + self._spacing)
        self._last = back - self._delay
        if len(self._promised) < MAX_PROMISES:
            self._promised[key] = self._last
        return back

    def _drop_stale(self, now: float) -> None:
        """Forget the keys that have not come back in time."""
        while self._promised:
            key, back = next(iter(self._promised.items()))
            if back + self._delay + GRACE >= now:
                return
            del self._promised[key]
