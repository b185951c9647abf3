"""Dispatch of events: packed into posts, and sent as the faults on their way allow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from instagram_simulator.faults import Fault, FaultKind, Faults
from instagram_simulator.journal import Journal
from instagram_simulator.state import World

from .delivery import Deliveries
from .payload import WebhookEvent
from .post import WebhookPost, pack

# Those of Meta's webhook pages and those that the API itself lists.
FIELDS = frozenset(
    {
        "agent_messages",
        "comment_poll_response",
        "comments",
        "delta",
        "follow",
        "live_comments",
        "mentions",
        "message_echoes",
        "message_edit",
        "message_reactions",
        "messages",
        "messaging_handover",
        "messaging_optins",
        "messaging_postbacks",
        "messaging_referral",
        "messaging_seen",
        "onboarding_welcome_message_series",
        "share_to_story",
        "standby",
        "story_insights",
        "story_poll_response",
        "story_reactions",
    }
)
# The field that an app has to tick for each kind of event; an echo comes with messages.
FIELD_OF = {
    "message": "messages",
    "echo": "messages",
    "unsend": "messages",
    "edit": "message_edit",
    "reaction": "message_reactions",
    "read": "messaging_seen",
    "postback": "messaging_postbacks",
    "referral": "messaging_referral",
    "comment": "comments",
}


class Dispatch:
    """
    The way of events to the deliveries, with the faults that interfere there.

    *subscribed* has the fields of each account, and one that has any gets webhooks: of the
    fields that the app has ticked, *app_fields*. *held* are posts that a fault keeps.
    """

    def __init__(
        self, world: World, journal: Journal, faults: Faults, deliveries: Deliveries
    ) -> None:
        # A world begins with the fields of messaging, so that webhooks come at once.
        begin = tuple(sorted(name for name in FIELD_OF.values() if name.startswith("messag")))
        self.subscribed = dict.fromkeys(world.accounts, tuple(dict.fromkeys(begin)))
        self.app_fields = tuple(sorted(set(FIELD_OF.values())))
        self.held: list[WebhookPost] = []
        self._world = world
        self._journal = journal
        self._faults = faults
        self._deliveries = deliveries
        self._numbers = count(1)
        self._reordered: dict[str, tuple[WebhookPost, asyncio.Event]] = {}
        self._batch: list[WebhookEvent] | None = None

    def send(self, event: WebhookEvent) -> None:
        """Put *event* on its way, or into the batch that is being gathered."""
        if self._batch is not None:
            self._batch.append(event)
        else:
            self._post([event])

    async def send_and_wait(self, event: WebhookEvent) -> None:
        """Put *event* on its way past all faults and return after its first attempt."""
        if webhook := self._packed([event]):
            await self._deliveries.attempt(webhook)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Gather the events of the block into one post per account, as Meta does when busy."""
        events: list[WebhookEvent] = []
        self._batch = events
        try:
            yield
        finally:
            self._batch = None
            for account_id in dict.fromkeys(event.account_id for event in events):
                self._post([event for event in events if event.account_id == account_id])

    def release(self) -> int:
        """Let everything held go, oldest first; return how many posts that were."""
        released, self.held = self.held, []
        for webhook in released:
            self._deliveries.deliver(webhook)
        self._journal.write("webhook.released", count=len(released))
        return len(released)

    def _post(self, events: Sequence[WebhookEvent]) -> None:
        """Post *events*, all of one account, together; a fault may strike."""
        webhook = self._packed(events)
        if webhook is None:
            return
        earlier = self._reordered.pop(webhook.lane, None)
        if fault := self._faults.take("webhook"):
            self._journal.write("webhook.fault", fault=fault.kind, number=webhook.number)
            self._post_with(fault, webhook)
        else:
            self._deliveries.deliver(webhook)
        if earlier is not None:
            self._deliveries.deliver(earlier[0])
            earlier[1].set()

    def _packed(self, events: Sequence[WebhookEvent]) -> WebhookPost | None:
        """Return the post of *events*, or `None` if nobody listens for the account."""
        account_id = events[0].account_id
        ticked = [event for event in events if FIELD_OF[event.kind] in self.app_fields]
        if self._deliveries.url is None or not self.subscribed[account_id] or not ticked:
            self._journal.write("webhook.nobody", kinds=[event.kind for event in events])
            return None
        account, now = self._world.accounts[account_id], self._world.clock.now()
        return pack(next(self._numbers), account, ticked, now)

    def _post_with(self, fault: Fault, webhook: WebhookPost) -> None:
        """Put *webhook* on the way that *fault* leaves it."""
        match fault.kind:
            case FaultKind.DUPLICATE:
                self._deliveries.deliver(webhook)
                self._deliveries.deliver_at_once(webhook)
            case FaultKind.HELD:
                self.held.append(webhook)
            case FaultKind.LOST:
                pass  # it is in the journal, and nowhere else
            case FaultKind.DELAYED:
                self._deliveries.tasks.start(self._deliver_late(webhook, fault.seconds))
            case _:
                overtaken = asyncio.Event()
                self._reordered[webhook.lane] = (webhook, overtaken)
                work = self._deliver_unless_overtaken(webhook, overtaken, fault.seconds)
                self._deliveries.tasks.start(work)

    async def _deliver_late(self, webhook: WebhookPost, seconds: float) -> None:
        """Deliver *webhook* in so many *seconds*."""
        await asyncio.sleep(seconds)
        self._deliveries.deliver(webhook)

    async def _deliver_unless_overtaken(
        self, webhook: WebhookPost, overtaken: asyncio.Event, seconds: float
    ) -> None:
        """Deliver *webhook* if the next of its lane has not passed it within *seconds*."""
        try:
            await asyncio.wait_for(overtaken.wait(), seconds)
        except TimeoutError:
            if self._reordered.get(webhook.lane) == (webhook, overtaken):
                del self._reordered[webhook.lane]
                self._deliveries.deliver(webhook)
