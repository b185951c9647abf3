"""How the verbs pass a conversation around inside a transaction."""

from __future__ import annotations

from typing import Protocol


class OfConversation(Protocol):
    """Anything that belongs to a conversation: a row, a claim."""

    @property
    def account(self) -> str:
        """The professional account's id."""
        ...

    @property
    def contact(self) -> str:
        """The person's IGSID."""
        ...


class Held(OfConversation, Protocol):
    """A row of `conversations` that is ours until this transaction ends: it has the fence."""

    @property
    def fence(self) -> int:
        """The number of this claim; a later one has a higher."""
        ...

    @property
    def lease_until(self) -> int:
        """When the lease ends unless it is renewed."""
        ...

    @property
    def failures(self) -> int:
        """The failures since the last progress."""
        ...

    @property
    def epoch(self) -> int:
        """The number of the agent's session with this person."""
        ...

    @property
    def window_closes_at(self) -> int:
        """When Meta's 24 h window closes."""
        ...

    @property
    def paused_until(self) -> int:
        """Until when a person answers."""
        ...


class HeldRow(Held, Protocol):
    """What `lease_statements.HELD` finds: who holds the conversation, and when it is due."""

    @property
    def lease_owner(self) -> str | None:
        """The process run that holds it."""
        ...

    @property
    def due_at(self) -> int | None:
        """When there is work; `None` when there is none."""
        ...


def key_of(of: OfConversation) -> dict[str, object]:
    """Return the parameters that name the conversation, for `conditions.of_conversation`."""
    return {"of_account": of.account, "of_contact": of.contact}
