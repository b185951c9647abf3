"""How the tries of each piece failed: some errors mean something else when they stay."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from ak_instagram.store.values import Piece

from .graph_codes import WHOLE_ACCOUNT, ErrorClass
from .graph_errors import GraphError

MOST = 10_000  # pieces that are remembered


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


class Failures:
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

        An error that stays may mean that the whole account can't send. If a call of the
        account has *last worked* since it ended this piece's previous try, it can: then
        the fault is the message's, and the error stays what it is at first.
        """
        known = self._latest.pop(piece.id, None)
        is_again = known is not None and (known.code, known.subcode) == (error.code, error.subcode)
        times = known.times + 1 if known is not None and is_again else 1
        error_class = error.class_after(times)
        if error_class in WHOLE_ACCOUNT and known is not None and last_worked > known.at:
            error_class = error.error_class
        failure = Failure(piece.tries, error.code, error.subcode, times, now, error_class)
        self._latest[piece.id] = failure
        if len(self._latest) > MOST:
            self._latest.popitem(last=False)
        return failure

    def of_latest_try(self, piece: Piece) -> Failure | None:
        """Return how the latest try of *piece* failed; `None` if nobody here saw it end."""
        known = self._latest.get(piece.id)
        return known if known is not None and known.tries == piece.tries else None

    def forget(self, piece: Piece) -> None:
        """Forget *piece*, which is not tried any more."""
        self._latest.pop(piece.id, None)
