"""Background jobs: run while the service does, and seen when one dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Jobs:
    """The running jobs, so that the liveness probe can ask after them."""

    tasks: tuple[asyncio.Task[None], ...]

    def dead(self) -> list[str]:
        """Return the names of jobs that ended, which none should while the service runs."""
        return [task.get_name() for task in self.tasks if task.done()]


@asynccontextmanager
async def running(**jobs: Coroutine[Any, Any, None]) -> AsyncIterator[Jobs]:
    """Run *jobs* while the block does, and log one that dies; on leaving, stop them and wait."""

    def log_death(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.critical("job.died", job=task.get_name(), exc_info=task.exception())

    tasks = tuple(asyncio.create_task(job, name=name) for name, job in jobs.items())
    for task in tasks:
        task.add_done_callback(log_death)
    try:
        yield Jobs(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run_logged(work: Awaitable[None], *, failure: str) -> bool:
    """
    Return whether *work* was done; if it failed, that is logged as *failure*.

    For the rounds of a job, which outlives whatever it meets.
    """
    try:
        await work
    except Exception as exc:  # whatever it is, the next round may do
        log.exception(failure, reason=type(exc).__name__)
        return False
    return True


async def run_rounds(work: Callable[[], Awaitable[None]], every: float, *, failure: str) -> None:
    """
    Do *work* now and then *every* so many seconds; never return.

    The first of several failures in a row is logged as *failure*: a store that is away for an
    hour is no news every two seconds.
    """
    works = True
    while True:
        try:
            await work()
            works = True
        except Exception as exc:  # whatever it is, the next round may do
            if works:
                log.exception(failure, reason=type(exc).__name__)
            works = False
        await asyncio.sleep(every)


class TaskSet:
    """Runs work that nobody waits for; a shutdown waits for what is under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The tasks under way."""
        return frozenset(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* without anybody waiting for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the event loop alone would let it be collected
        task.add_done_callback(self._tasks.discard)
