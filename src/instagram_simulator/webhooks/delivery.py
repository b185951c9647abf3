"""Delivery of webhooks: in order per conversation, tried again until the service says 200."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Self

import aiohttp

from instagram_simulator.journal import Journal

from .post import Retries, WebhookPost, post

# Connections to the service at once; Meta has many machines.
_CONNECTIONS = 100


class OrderedTasks:
    """Background work: one after the other within a lane, side by side otherwise."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, deque[Callable[[], Awaitable[None]]]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def enqueue(self, lane: str, step: Callable[[], Awaitable[None]]) -> None:
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
        """Return once nothing runs; raise `TimeoutError` if that takes longer than *within* s."""
        await asyncio.wait_for(self._idle.wait(), within)

    async def close(self) -> None:
        """Stop everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drain(self, lane: str) -> None:
        """Run the steps of *lane* until none is left."""
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


class Deliveries:
    """
    All webhooks on their way to *url*, each until its 200 or its last attempt.

    The first attempts of a conversation go out one after the other, so that only a
    fault changes their order; a retry comes when its time has come, whatever else
    does. *accepted* counts how often each `(kind, mid)` got a 200.
    """

    def __init__(self, journal: Journal, retries: Retries) -> None:
        self.url: str | None = None
        self.accepted: Counter[tuple[str, str]] = Counter()
        self.tasks = OrderedTasks()
        self._journal = journal
        self._retries = retries
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connections."""
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Forget what is still on its way and close the connections."""
        await self.tasks.close()
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The client that posts; there is one while the deliveries are open."""
        assert self._session is not None, "the simulator is not running"
        return self._session

    def deliver(self, webhook: WebhookPost) -> None:
        """Post *webhook* after the earlier ones of its lane, until it is accepted."""

        async def first_attempt() -> None:
            await self.attempt(webhook)

        self.tasks.enqueue(webhook.lane, first_attempt)

    def deliver_at_once(self, webhook: WebhookPost) -> None:
        """Post *webhook* beside all that is on its way, until it is accepted."""
        self.tasks.start(self.attempt(webhook))

    async def attempt(self, webhook: WebhookPost, number: int = 1) -> None:
        """Make attempt *number*; on anything but a 200 arrange the next, if one is left."""
        if self.url is None:
            return
        outcome = await post(self.session, self.url, webhook, self._retries.timeout)
        is_last = number > len(self._retries.waits)
        if outcome.is_accepted:
            self.accepted.update((event.kind, event.mid) for event in webhook.events)
        elif not is_last:
            self.tasks.start(self._attempt_again(webhook, number))
        self._journal.write(
            "webhook",
            number=webhook.number,
            attempt=number,
            is_last=not outcome.is_accepted and is_last,
            events=[(event.kind, event.igsid, event.mid) for event in webhook.events],
            url=self.url,
            status=outcome.status,
            why=outcome.why,
            ms=outcome.milliseconds,
            signature=webhook.signature,
            request=json.loads(webhook.body),
        )

    async def _attempt_again(self, webhook: WebhookPost, failures: int) -> None:
        """Wait as long as Meta does after so many *failures*, and post again."""
        await asyncio.sleep(self._retries.waits[failures - 1])
        await self.attempt(webhook, failures + 1)
