"""
How the tries of each piece failed, and whose fault that was.

Meta's codes do not always tell a person or a message from the account, or from a
trouble of Meta's own. What tells them apart is whether anything of the account has
worked since the piece failed before:

- It has: then the account can send, and is not stopped for this piece again.
- It has not: then the person is not to blame yet, since nobody may be reached.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from ak_instagram.meta.graph_codes import STOPPED, ErrorClass
from ak_instagram.meta.graph_errors import GraphError
from ak_instagram.store.values import Piece

MAX_REMEMBERED = 10_000  # pieces


class Failure(NamedTuple):
    """
    What a try ended with: the *tries* of its piece by then, and Meta's codes.

    It ended so *times* times in a row, the last *at* this time (steady clock), which
    makes it an error of *error_class*.
    """

    tries: int
    code: int | None
    subcode: int | None
    times: int
    at: float
    error_class: ErrorClass


class AttemptHistory:
    """
    Remembers each piece's latest failure, as far as this process has seen it.

    After a restart, or in another replica, the counting begins anew: then an error has
    a few more tries before it means something else.
    """

    def __init__(self) -> None:
        self._latest = OrderedDict[int, Failure]()

    def note(self, piece: Piece, error: GraphError, now: float, last_worked: float) -> Failure:
        """
        Remember that a try of *piece* ended with *error* just *now*; return what that means.

        The latest call of the account that worked began when it has *last worked*.
        """
        known = self._latest.pop(piece.id, None)
        is_again = known is not None and (known.code, known.subcode) == (error.code, error.subcode)
        times = known.times + 1 if known is not None and is_again else 1
        has_worked = known is not None and last_worked > known.at
        error_class = _meaning(error, times, has_worked=has_worked)
        failure = Failure(piece.tries, error.code, error.subcode, times, now, error_class)
        self._latest[piece.id] = failure
        if len(self._latest) > MAX_REMEMBERED:
            self._latest.popitem(last=False)
        return failure

    def of_latest_try(self, piece: Piece) -> Failure | None:
        """Return how the latest try of *piece* failed; `None` if nobody here saw it end."""
        known = self._latest.get(piece.id)
        return known if known is not None and known.tries == piece.tries else None

    def forget(self, piece: Piece) -> None:
        """Forget how *piece* failed: it worked, or is not tried any more."""
        self._latest.pop(piece.id, None)


def _meaning(error: GraphError, times: int, *, has_worked: bool) -> ErrorClass:
    """
    Return what an *error* is that ended so many tries in a row.

    *has_worked* says whether the account has, between the latest two of them.
    """
    error_class = error.class_after(times)
    if has_worked and error_class in STOPPED:
        return ErrorClass.TRANSIENT if error.error_class in STOPPED else error.error_class
    if not has_worked and error_class is ErrorClass.PERSON_UNAVAILABLE:
        return error.error_class
    return error_class
