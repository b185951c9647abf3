"""Posts of webhooks, tried again until the service says 200."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Self

import aiohttp

from .journal import Journal
from .lanes import Lanes
from .post import Delivery, Outcome, Retries, post

# Connections to the service at once; Meta has many machines.
_CONNECTIONS = 100


class Deliveries:
    """
    Sees each delivery through to its 200 and keeps account of what was accepted.

    The first tries of a conversation go out one after the other, so that only a
    fault changes their order; a retry comes when its time has come, whatever else
    does. *accepted* counts how often each `(kind, mid)` got a 200.
    """

    def __init__(self, journal: Journal, retries: Retries) -> None:
        self.url: str | None = None
        self.accepted: Counter[tuple[str, str]] = Counter()
        self.lanes = Lanes()
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
        await self.lanes.close()
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The client that posts; there is one while the deliveries are open."""
        assert self._session is not None, "the simulator is not running"
        return self._session

    def deliver(self, delivery: Delivery) -> None:
        """See *delivery* through, in its turn."""

        async def first_try() -> None:
            await self.try_once(delivery)

        self.lanes.enter(delivery.lane, first_try)

    def deliver_beside(self, delivery: Delivery) -> None:
        """See *delivery* through at once, whatever else is on its way."""
        self.lanes.start(self.try_once(delivery))

    async def try_once(self, delivery: Delivery, tries: int = 0) -> None:
        """Post once; on anything but a 200 arrange the next try, if there is one left."""
        if self.url is None:
            return
        outcome = await post(self.session, self.url, delivery, self._retries.timeout)
        if outcome.is_accepted:
            self.accepted.update((event.kind, event.mid) for event in delivery.events)
        elif tries < len(self._retries.waits):
            self.lanes.start(self._try_again(delivery, tries))
        self._note(delivery, outcome, tries + 1)

    async def _try_again(self, delivery: Delivery, tries: int) -> None:
        await asyncio.sleep(self._retries.waits[tries])
        await self.try_once(delivery, tries + 1)

    def _note(self, delivery: Delivery, outcome: Outcome, tries: int) -> None:
        self._journal.write(
            "webhook",
            number=delivery.number,
            attempt=tries,
            is_last=not outcome.is_accepted and tries > len(self._retries.waits),
            events=[(event.kind, event.igsid, event.mid) for event in delivery.events],
            url=self.url,
            status=outcome.status,
            why=outcome.why,
            ms=outcome.milliseconds,
            signature=delivery.signature,
            request=json.loads(delivery.body),
        )
