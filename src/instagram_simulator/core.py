"""What every part of the simulator shares."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace

from .delivery import Deliveries
from .dispatch import Dispatch
from .faults import Fault, Faults
from .journal import Journal
from .post import Retries
from .shape import fault_json, person_json
from .switches import Switches
from .values import Json, Person
from .verification import verify
from .world import World


class Core:
    """One world with its journal, its faults and its webhooks; *closing* is set at the end."""

    def __init__(self, world: World, *, retries: Retries | None = None, seed: int = 0) -> None:
        self.world = world
        self.switches = Switches()
        self.faults = Faults(seed)
        self.journal = Journal()
        self.deliveries = Deliveries(self.journal, retries or Retries())
        self.dispatch = Dispatch(world, self.journal, self.faults, self.deliveries)
        self.closing = asyncio.Event()

    def add_person(self, name: str, username: str = "") -> Person:
        """Let someone new know the first account."""
        person = self.world.add_person(name, username)
        self.journal.write("person", **person_json(person))
        return person

    async def subscribe(self, url: str, verify_token: str) -> None:
        """Make *url* the webhook, once it has passed Meta's check; raise `VerificationFailed`."""
        await verify(self.deliveries.session, url, verify_token)
        self.deliveries.url = url
        self.journal.write("webhook.verified", url=url)

    def fail(self, fault: Fault) -> int:
        """Switch *fault* on; return the number to remove it by."""
        number = self.faults.add(fault)
        self.journal.write("faults", active=self.active_faults())
        return number

    def remove_fault(self, number: int) -> bool:
        """Switch one fault off; return whether it was on."""
        was_on = self.faults.remove(number)
        self.journal.write("faults", active=self.active_faults())
        return was_on

    def heal(self) -> None:
        """Switch all faults off and let everything held go."""
        self.faults.clear()
        self.journal.write("faults", active=[])
        self.dispatch.release()

    def active_faults(self) -> list[Json]:
        """Return the faults that are on, as JSON."""
        active = self.faults.active().items()
        return [fault_json(number, fault, left) for number, (fault, left) in active]

    def switch(self, **changes: bool | int) -> Switches:
        """Change some of the switches; raise `TypeError` for one that does not exist."""
        self.switches = replace(self.switches, **changes)  # type: ignore[arg-type] # bool and int
        self.journal.write("switches", **asdict(self.switches))
        return self.switches

    def close(self) -> None:
        """End everything that waits: streams and calls that hang."""
        self.closing.set()
        self.journal.close()
