"""What happened, as far as the promises are concerned, in the order in which it did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count


@dataclass(frozen=True, slots=True)
class Question:
    """The agent was asked about *names*, in this order, under an idempotency *key*."""

    key: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Record:
    """
    Who said what, when it was posted first and accepted first, and what the agent was asked.

    *said* has the names of each person's messages in the order of Meta's time stamps.
    *posted* and *accepted* are moments: numbers that only grow. A message that was
    accepted before another was ever posted is one that nobody may answer after it.
    """

    said: dict[str, list[str]] = field(default_factory=dict)
    posted: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)
    _moments: count[int] = field(default_factory=lambda: count(1))

    def say(self, person: str, name: str) -> None:
        """Note that *person* has said *name*."""
        self.said.setdefault(person, []).append(name)

    def post(self, names: Iterable[str]) -> None:
        """Note that a webhook with *names* is about to be posted."""
        self._note(self.posted, names)

    def accept(self, names: Iterable[str]) -> None:
        """Note that a webhook with *names* was answered 200."""
        self._note(self.accepted, names)

    def _note(self, moments: dict[str, int], names: Iterable[str]) -> None:
        now = next(self._moments)
        for name in names:
            moments.setdefault(name, now)

    def binds(self, earlier: str, later: str) -> bool:
        """Whether *later*, said after *earlier*, may not be answered before it."""
        return self.accepted[earlier] < self.posted[later] or (
            self.posted[earlier] == self.posted[later]
            and self.accepted[earlier] == self.accepted[later]
        )
