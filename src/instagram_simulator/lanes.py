"""Background work: one after the other within a lane, side by side otherwise."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine

Step = Callable[[], Awaitable[None]]


class Lanes:
    """Runs steps in the order of their lane and knows when nothing is left to do."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, deque[Step]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self, lane: str, step: Step) -> None:
        """Run *step* once all earlier ones of *lane* have ended."""
        waiting = self._lanes.get(lane)
        if waiting is not None:
            waiting.append(step)
            return
        self._lanes[lane] = deque([step])
        self.start(self._drain(lane))

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run *work* now, beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        self._idle.clear()
        task.add_done_callback(self._forget)

    async def settled(self, within: float) -> None:
        """Return once nothing runs; raise `TimeoutError` if that takes longer than *within*."""
        await asyncio.wait_for(self._idle.wait(), within)

    async def close(self) -> None:
        """Stop everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drain(self, lane: str) -> None:
        waiting = self._lanes[lane]
        try:
            while waiting:
                await waiting.popleft()()
        finally:
            del self._lanes[lane]

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._idle.set()
