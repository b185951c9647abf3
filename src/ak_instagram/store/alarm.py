"""One alarm, set for the earliest of the moments that were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls *ring* at the earliest moment asked for; whoever wants a later one asks again."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._handle: asyncio.Handle | None = None
        self._at = 0.0

    def set(self, seconds: float) -> None:
        """Ring in *seconds*, unless it is to ring before that anyway."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._handle is not None:
            if self._at <= at:
                return
            self._handle.cancel()
        self._handle, self._at = loop.call_at(at, self.go_off), at

    def go_off(self) -> None:
        """Ring now."""
        # Forgotten first: uvloop's timers may go off before their time has quite come.
        self._handle = None
        self._ring()
