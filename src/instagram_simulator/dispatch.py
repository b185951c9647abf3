"""From something that happened to a post on its way, through whatever goes wrong there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from .delivery import Deliveries
from .envelope import Event
from .faults import Fault, FaultKind, Faults
from .journal import Journal
from .post import Delivery, pack
from .world import World


class Dispatch:
    """
    Packs events into posts and hands them to the deliveries, unless a fault interferes.

    *subscribed* tells which accounts get webhooks; *held* are posts that a fault keeps.
    """

    def __init__(
        self, world: World, journal: Journal, faults: Faults, deliveries: Deliveries
    ) -> None:
        self.subscribed = dict.fromkeys(world.accounts, True)
        self.held: list[Delivery] = []
        self._world = world
        self._journal = journal
        self._faults = faults
        self._deliveries = deliveries
        self._numbers = count(1)
        self._overtaken: dict[str, tuple[Delivery, asyncio.Event]] = {}
        self._batch: list[Event] | None = None

    def send(self, event: Event) -> None:
        """Put *event* on its way, or into the batch that is being gathered."""
        if self._batch is not None:
            self._batch.append(event)
        else:
            self._dispatch([event])

    async def send_and_wait(self, event: Event) -> None:
        """Put *event* on its way past all faults and return after its first try."""
        if delivery := self._pack([event]):
            await self._deliveries.try_once(delivery)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Gather the events of the block into one post per account, as Meta does when busy."""
        events: list[Event] = []
        self._batch = events
        try:
            yield
        finally:
            self._batch = None
            for account_id in dict.fromkeys(event.account_id for event in events):
                self._dispatch([event for event in events if event.account_id == account_id])

    def release(self) -> int:
        """Let everything held go, oldest first; return how many posts that were."""
        released, self.held = self.held, []
        for delivery in released:
            self._deliveries.deliver(delivery)
        self._journal.write("webhook.released", count=len(released))
        return len(released)

    def _dispatch(self, events: Sequence[Event]) -> None:
        delivery = self._pack(events)
        if delivery is None:
            return
        earlier = self._overtaken.pop(delivery.lane, None)
        self._send_with(delivery, self._faults.take("webhook"))
        if earlier is not None:
            self._deliveries.deliver(earlier[0])
            earlier[1].set()

    def _pack(self, events: Sequence[Event]) -> Delivery | None:
        """Return the post for *events*, or `None` if nobody listens for the account."""
        account_id = events[0].account_id
        if self._deliveries.url is None or not self.subscribed[account_id]:
            self._journal.write("webhook.nobody", kinds=[event.kind for event in events])
            return None
        account, now = self._world.accounts[account_id], self._world.clock.now()
        return pack(next(self._numbers), account, events, now)

    def _send_with(self, delivery: Delivery, fault: Fault | None) -> None:
        """Put *delivery* on the way that *fault* leaves it."""
        if fault is None:
            self._deliveries.deliver(delivery)
            return
        self._journal.write("webhook.fault", fault=fault.kind, number=delivery.number)
        if fault.kind is FaultKind.DUPLICATE:
            self._deliveries.deliver(delivery)
            self._deliveries.deliver_beside(delivery)
        elif fault.kind is FaultKind.HELD:
            self.held.append(delivery)
        elif fault.kind is FaultKind.DELAYED:
            self._deliveries.lanes.start(self._late(delivery, fault.seconds))
        else:
            self._let_overtake(delivery, fault.seconds)

    def _let_overtake(self, delivery: Delivery, seconds: float) -> None:
        """Keep *delivery* until the next of its conversation has gone, *seconds* at most."""
        overtaken = asyncio.Event()
        self._overtaken[delivery.lane] = (delivery, overtaken)
        self._deliveries.lanes.start(self._unless_overtaken(delivery, overtaken, seconds))

    async def _unless_overtaken(
        self, delivery: Delivery, overtaken: asyncio.Event, seconds: float
    ) -> None:
        try:
            await asyncio.wait_for(overtaken.wait(), seconds)
        except TimeoutError:
            if self._overtaken.get(delivery.lane) == (delivery, overtaken):
                del self._overtaken[delivery.lane]
                self._deliveries.deliver(delivery)

    async def _late(self, delivery: Delivery, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._deliveries.deliver(delivery)
