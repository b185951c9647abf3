"""How the tries of each piece failed: some errors mean something else when they stay."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from ak_instagram.store.values import Piece

from .graph_codes import ErrorClass
from .graph_errors import GraphError

MOST = 10_000  # pieces that are remembered


class Failure(NamedTuple):
    """
    What a try ended with: the *tries* of its piece by then, and Meta's codes.

    It ended so *times* times in a row, which makes it an error of *error_class*.
    """

    tries: int
    code: int | None
    subcode: int | None
    times: int
    error_class: ErrorClass


class Failures:
    """
    Remembers each piece's latest failure, as far as this process has seen it.

    After a restart, or in another replica, the counting begins anew: then an error has
    a few more tries before it means something else.
    """

    def __init__(self) -> None:
        self._latest = OrderedDict[int, Failure]()

    def note(self, piece: Piece, error: GraphError) -> Failure:
        """Remember that a try of *piece* ended with *error*; return what that amounts to."""
        known = self._latest.pop(piece.id, None)
        is_again = known is not None and (known.code, known.subcode) == (error.code, error.subcode)
        times = known.times + 1 if known is not None and is_again else 1
        failure = Failure(piece.tries, error.code, error.subcode, times, error.class_after(times))
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
