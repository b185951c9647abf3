"""Calls that are to be repeated for many, spread evenly and within a limit."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

# Seconds by which a timer may fire too early: uvloop's go by whole milliseconds.
_EARLY = 0.001


class Pacer:
    """
    Makes each of the calls added *every* so many seconds, at most *rate* a second in all.

    When more are due than that, each has to wait, and the one that was made longest ago
    is next. One timer serves all, so that a crowd costs no more than the calls do.
    """

    def __init__(self, rate: float, every: float) -> None:
        self._gap = 1 / rate
        self._every = every
        self._due_at = OrderedDict[Callable[[], None], float]()  # the next one first
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, call: Callable[[], None]) -> None:
        """Make *call* from now on, the first time when a whole period has passed."""
        self._due_at[call] = asyncio.get_running_loop().time() + self._every
        self._set_timer()

    def remove(self, call: Callable[[], None]) -> None:
        """Make *call* no more."""
        self._due_at.pop(call, None)

    def _set_timer(self) -> None:
        if self._due_at and self._timer is None:
            at = max(next(iter(self._due_at.values())), self._free_at)
            self._timer = asyncio.get_running_loop().call_at(at, self._ring)

    def _ring(self) -> None:
        """Make the next call, unless the one that the timer was set for has gone."""
        self._timer = None
        call = self._take(asyncio.get_running_loop().time())
        self._set_timer()
        if call is not None:
            call()

    def _take(self, now: float) -> Callable[[], None] | None:
        """Return the next call if it is due, and put it last."""
        call, due_at = next(iter(self._due_at.items()), (None, 0.0))
        if call is None or due_at > now + _EARLY:
            return None
        self._due_at[call] = now + self._every
        self._due_at.move_to_end(call)
        self._free_at = now + self._gap
        return call
