"""
Ids in the forms of Meta's: message ids that tell their time, conversation ids, IGSIDs.

A message id names its account, its thread and an item of that thread. An item's number is
the time of the message in microseconds, and 64 bits below that. So ids rise with time.
"""

from __future__ import annotations

import base64
import itertools
import secrets

FIRST_IGSID = 751390000000001
_FIRST_COMMENT = 17_900_000_000_000_000
_COMMENTS = 10**14
_NUMBER_BITS = 64  # of an item, below its time
_COUNT_BITS = 32  # of these, for the messages of one run


class Ids:
    """
    A source of message ids, conversation ids and IGSIDs, each given out once.

    People get the same IGSIDs in every world. Message ids differ from run to run even at
    the same time, for a service that keeps its store must not take a new message for one
    it has seen.
    """

    def __init__(self) -> None:
        self._igsids = itertools.count(FIRST_IGSID)
        self._numbers = itertools.count(secrets.randbits(_COUNT_BITS - 1) << _COUNT_BITS)

    def igsid(self) -> str:
        """Return the id of a new person."""
        return str(next(self._igsids))

    def comment(self) -> str:
        """Return the id of a new comment."""
        return str(_FIRST_COMMENT + next(self._numbers) % _COMMENTS)

    def mid(self, account_id: str, igsid: str, at: int) -> str:
        """Return the id of a new message, said *at* (UTC ms) by *account_id* or *igsid*."""
        return message_id(account_id, thread_id(igsid), item_number(at * 1000, next(self._numbers)))


def thread_id(igsid: str) -> str:
    """Return the id of an account's thread with *igsid*, in the 39 digits that Meta's have."""
    return f"3402823668417103{igsid:0>23}"


def item_number(microseconds: int, number: int) -> int:
    """Return the number of the item said at *microseconds* (UTC), the *number*th of that time."""
    return (microseconds << _NUMBER_BITS) + number


def message_id(account_id: str, thread: str, item: object) -> str:
    """Return the `mid` of an *item* of a *thread*, usually an `item_number`."""
    return opaque(f"ig_dm_item:1:IGMessageID:{account_id}:{thread}:{item}")


def conversation_id(account_id: str, igsid: str) -> str:
    """Return the id of the conversation of *account_id* with *igsid*."""
    return opaque(f"ig_dm_thread:1:{account_id}:{thread_id(igsid)}")


def opaque(plain: str) -> str:
    """Return *plain* the way Meta hides it: base64 in which `Z` is `ZA` and `=` is `ZD`."""
    return base64.b64encode(plain.encode()).decode().replace("Z", "ZA").replace("=", "ZD")
