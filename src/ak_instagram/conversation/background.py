"""Work that nobody waits for while it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """Runs courtesies beside everything else; a shutdown waits for those under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """What is under way."""
        return frozenset(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* without anybody waiting for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the event loop alone would let it be collected
        task.add_done_callback(self._tasks.discard)
