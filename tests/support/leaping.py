"""An event loop that never waits: when nothing is left to do its time leaps to what comes next."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import selectors
from collections.abc import Callable
from typing import TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")


class _Leaps(selectors.DefaultSelector):
    """Takes note of how long it was told to wait, and does not."""

    passed = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing will ever happen again")
        if not ready:
            self.passed += timeout
        return ready


class LeapingLoop(asyncio.SelectorEventLoop):
    """A loop for tests that need no input or output; it counts the *timers* that were set."""

    def __init__(self):
        self._leaps = _Leaps()
        self.timers = 0
        super().__init__(self._leaps)

    def time(self):
        return self._leaps.passed

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Arguments], object],
        *arguments: *_Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(when, callback, *arguments, context=context)


def leaping(test):
    """Run the coroutine function *test* on a `LeapingLoop`."""

    @functools.wraps(test)
    def run(*arguments, **keywords):
        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            runner.run(test(*arguments, **keywords))

    return run
