"""Message ids in the form that Meta's have, of nobody's messages."""

from __future__ import annotations

from instagram_simulator.ids import item_number, message_id

ACCOUNT = "17841400000000001"
THREAD = "340282366841710301244276000000000000001"


def mid_said_at(at: int, number: int = 0) -> str:
    """Return the id of the message with *number* of those said at *at* (UTC ms)."""
    return mid_of_item(item_number(at * 1000, number))


def mid_of_item(item: object) -> str:
    """Return the id that names *item*."""
    return message_id(ACCOUNT, THREAD, item)
