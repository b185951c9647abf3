"""How the verbs pass a conversation around inside a transaction."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

# A row of `conversations` that this transaction has checked to be ours; its columns are
# those of `lease_statements.HELD`.
Held: TypeAlias = Any


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


def key_of(of: OfConversation) -> dict[str, object]:
    """Return the parameters that name the conversation in a statement."""
    return {"of_account": of.account, "of_contact": of.contact}
