"""The engine: one world with its journal, its faults, its behaviour and its webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from .faults import Fault, Faults
from .journal import Journal
from .state import World
from .values import Json, Person
from .webhooks.delivery import Deliveries
from .webhooks.dispatch import FIELDS, Dispatch
from .webhooks.post import Retries, shake_hands


@dataclass(frozen=True, slots=True)
class Behaviour:
    """
    Behaviour that is no fault, but that varies at Meta and that a service has to live with.

    *echo_first*: the echo of a message arrives before its send call has answered.
    *edit_companion*: each new message comes with a `message_edit` of `num_edit` 0.
    *echoes*: the account's own messages are echoed at all.
    *sends_per_second*: how many send calls an account may make; 0 is no limit.
    """

    echoes: bool = True
    echo_first: bool = False
    edit_companion: bool = False
    sends_per_second: int = 0


class Engine:
    """The parts that user actions, Graph API and control API share; *closing* is set at the end."""

    def __init__(self, world: World, *, retries: Retries | None = None, seed: int = 0) -> None:
        self.world = world
        self.behaviour = Behaviour()
        self.faults = Faults(seed, self._tell_faults)
        self.journal = Journal()
        self.deliveries = Deliveries(self.journal, retries or Retries())
        self.dispatch = Dispatch(world, self.journal, self.faults, self.deliveries)
        self.closing = asyncio.Event()

    def add_person(self, name: str, username: str = "") -> Person:
        """Let someone new know the first account."""
        person = self.world.add_person(name, username)
        self.journal.write("person", **asdict(person))
        return person

    async def subscribe(self, url: str, verify_token: str) -> None:
        """Make *url* the webhook, once it has passed Meta's check; raise `VerificationFailed`."""
        await shake_hands(self.deliveries.session, url, verify_token)
        self.deliveries.url = url
        self.journal.write("webhook.verified", url=url)

    def set_fields(
        self, *, app: Sequence[str] | None = None, account: Sequence[str] | None = None
    ) -> Json:
        """
        Change the webhook fields that the *app* has ticked, or those of each *account*.

        An account with none gets no webhook any more, as when Meta unsubscribes it without a
        word. Returns both as they are; raises `ValueError` for a field that there is not.
        """
        for name in (*(app or ()), *(account or ())):
            if name not in FIELDS:
                raise ValueError(f"there is no field {name}")
        if app is not None:
            self.dispatch.app_fields = tuple(app)
        if account is not None:
            self.dispatch.subscribed = dict.fromkeys(self.dispatch.subscribed, tuple(account))
        fields = {"app": self.dispatch.app_fields, "accounts": self.dispatch.subscribed}
        self.journal.write("fields", **fields)
        return fields

    def fail(self, fault: Fault) -> int:
        """Switch *fault* on; return the number to remove it by."""
        number = self.faults.add(fault)
        self._tell_faults()
        return number

    def remove_fault(self, number: int) -> bool:
        """Switch one fault off; return whether it was on."""
        was_on = self.faults.remove(number)
        self._tell_faults()
        return was_on

    def heal(self) -> None:
        """Switch all faults off and let everything held go."""
        self.faults.clear()
        self._tell_faults()
        self.dispatch.release()

    def _tell_faults(self) -> None:
        """Write to the journal which faults are on."""
        self.journal.write("faults", active=self.active_faults())

    def active_faults(self) -> list[Json]:
        """Return the faults that are on, as JSON; *left* is how often each will still happen."""
        active = self.faults.active().items()
        return [{"number": number, "left": left, **asdict(each)} for number, (each, left) in active]

    def switch(self, **changes: bool | int) -> Behaviour:
        """Change some of the behaviour; raise `TypeError` for what does not exist."""
        self.behaviour = replace(self.behaviour, **changes)  # type: ignore[arg-type] # bool and int
        self.journal.write("switches", **asdict(self.behaviour))
        return self.behaviour

    def close(self) -> None:
        """End everything that waits: streams and calls that hang."""
        self.closing.set()
        self.journal.close()
