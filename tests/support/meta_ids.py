"""Message ids in the form that Meta's have, of nobody's messages."""

from __future__ import annotations

import base64

ACCOUNT = 17841400000000001
THREAD = 340282366841710301244276000000000000001


def mid_said_at(at: int, number: int = 0) -> str:
    """Return the id of the message with *number* of those said at *at* (UTC ms)."""
    return mid_of_item(((at * 1000) << 64) + number)


def mid_of_item(item: object) -> str:
    """Return the id that names *item*."""
    plain = f"ig_dm_item:1:IGMessageID:{ACCOUNT}:{THREAD}:{item}"
    return base64.b64encode(plain.encode()).decode().replace("Z", "ZA").replace("=", "ZD")
