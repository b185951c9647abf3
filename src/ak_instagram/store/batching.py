"""Group commit: webhooks of the same moment share a transaction; each gets its own result."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from ak_instagram.errors import StoreUnavailable
from ak_instagram.meta.events import Event

MAX_EVENTS = 512  # events of one batch
SPACING = 0.004  # seconds between the batches of webhooks that queue up

# Stores a batch in one transaction; returns once that is durable.
StoreBatch: TypeAlias = Callable[[Sequence[Event]], Awaitable[None]]


class Request(NamedTuple):
    """One webhook's events, and the future that waits for them to be durable."""

    events: Sequence[Event]
    stored: asyncio.Future[None]


class Batcher:
    """Puts requests that wait at the same time into one batch, so that they share a commit."""

    def __init__(self, store_batch: StoreBatch) -> None:
        self._store_batch = store_batch
        self._requests: deque[Request] = deque()
        self._storing: asyncio.Task[None] | None = None

    def put(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """Wait until *events* are durable; raises what storing them raises."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests.append(Request(events, stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all())
        return stored

    async def _store_all(self) -> None:
        try:
            while self._requests:
                began = asyncio.get_running_loop().time()
                batch: list[Request] = []
                room = MAX_EVENTS
                while self._requests and room > 0:
                    batch.append(self._requests.popleft())
                    room -= len(batch[-1].events)
                await self._store(batch)
                if self._requests:
                    # Under load: the longer, the more of them share the next commit.
                    spent = asyncio.get_running_loop().time() - began
                    await asyncio.sleep(max(SPACING - spent, 0))
        finally:
            self._storing = None

    async def _store(self, batch: Sequence[Request]) -> None:
        error: Exception | None = None
        try:
            await self._store_batch(list(chain.from_iterable(map(itemgetter(0), batch))))
        except StoreUnavailable as exc:
            error = exc
        except Exception as exc:  # noqa: BLE001 - one request spoils it; the others shall not pay
            if len(batch) > 1:
                for request in batch:
                    await self._store([request])
                return
            error = exc
        for request in batch:
            if request.stored.done():
                continue
            if error is None:
                request.stored.set_result(None)
            else:
                request.stored.set_exception(error)
