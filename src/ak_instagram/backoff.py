"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Chance = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Backoff:
    """
    Waits that grow by *factor* from *first* to *longest* seconds, for *attempts* tries.

    Each is shortened by up to half at random, so that what failed together is not
    tried together again. The defaults wait 1, 3, 9, 27, 81, 243 and 600 s at most: a
    quarter of an hour in all.
    """

    attempts: int = 8
    first: float = 1.0
    factor: float = 3.0
    longest: float = 600.0
    chance: Chance = random.random

    def wait_or_give_up(self, failures: int) -> float | None:
        """Return the seconds to wait after *failures* failures in a row, `None` to give up."""
        if failures >= self.attempts:
            return None
        return self.wait(failures)

    def wait(self, failures: int) -> float:
        """Return the seconds to wait after *failures* failures, however many there were."""
        longest = min(self.first * self.factor ** min(failures - 1, 50), self.longest)
        return longest * (1 - self.chance() / 2)
