"""
The least that an answer takes: the same HTTP calls one after another, and nothing else.

No webhook, no store, no order: `mark_seen`, `typing_on`, the agent, the piece.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import aiohttp
import uvloop

from qa.benchmarks import cores
from qa.benchmarks.calls import Calls


@dataclass(frozen=True, slots=True)
class Script:
    """Whom to call for whom; *pause* is the seconds between two answers."""

    graph_url: str
    agent_url: str
    contacts: Sequence[str]
    pause: float


class Bare:
    """The script's process."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def answer(self, script: Script) -> list[float]:
        """Return when each answer of *script* was begun (`time.perf_counter`)."""
        return self._pool.submit(_run, script).result()


@contextmanager
def open_bare() -> Iterator[Bare]:
    """Keep the script's process while the block runs."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, context, cores.pin, (cores.SUBJECT,)) as pool:
        yield Bare(pool)


def _run(script: Script) -> list[float]:
    return uvloop.run(_answer_all(script))


async def _answer_all(script: Script) -> list[float]:
    began = []
    async with aiohttp.ClientSession() as session:
        calls = Calls(session, script.graph_url, script.agent_url)
        for contact in script.contacts:
            began.append(time.perf_counter())
            await calls.answer(contact)
            await asyncio.sleep(script.pause)
    return began
