"""Ids in the shapes Meta uses; what is inside them is nobody's business."""

from __future__ import annotations

import base64
import itertools
import time

FIRST_IGSID = 751390000000001


class Ids:
    """
    Gives out message ids, conversation ids and IGSIDs, each once.

    People get the same IGSIDs in every world. Message ids go on from the wall
    clock, for a service that keeps its store from one run to the next must not
    take a new message for one it has seen.
    """

    def __init__(self) -> None:
        self._igsids = itertools.count(FIRST_IGSID)
        self._items = itertools.count(time.time_ns())

    def igsid(self) -> str:
        """Return the id of a new person."""
        return str(next(self._igsids))

    def mid(self, account_id: str, igsid: str) -> str:
        """Return the id of a new message between *account_id* and *igsid*."""
        item = next(self._items)
        return opaque(f"ig_dm_item:1:IGMessageID:{account_id}:3402823668417103{igsid}:{item:031d}")

    def conversation(self, account_id: str, igsid: str) -> str:
        """Return the id of the conversation of *account_id* with *igsid*."""
        return opaque(f"ig_dm_thread:1:{account_id}:3402823668417103{igsid}")


def opaque(inside: str) -> str:
    """Return *inside* the way Meta hides it: base64 in which `Z` is `ZA` and `=` is `ZD`."""
    return base64.b64encode(inside.encode()).decode().replace("Z", "ZA").replace("=", "ZD")
