"""What the model is shown of the conversation so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents import TResponseInputItem

TURNS = 20


def recent(
    past: list[TResponseInputItem], new: list[TResponseInputItem]
) -> list[TResponseInputItem]:
    """
    Return the last turns without their attachments, then what is *new*.

    Meta's links to attachments expire, and a model refuses the whole request for a link
    that is dead. A turn stays whole, since a tool's result belongs to its call.
    """
    said = [item for item in past if not _is_attachment(item)]
    starts = [at for at, item in enumerate(said) if item.get("role") == "user"]
    first = starts[-TURNS] if len(starts) > TURNS else 0
    return said[first:] + new


def _is_attachment(item: TResponseInputItem) -> bool:
    """Return whether *item* is what came with a message; Agent Kernel keeps texts as strings."""
    return item.get("role") == "user" and not isinstance(item["content"], str)
