"""The figures of a recording; `qa.trace` says what each of them counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .recording import Call


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a reader has to follow."""

    calls: int
    functions: int
    modules: int
    changes: int


def count(calls: Sequence[Call]) -> Counts:
    """Return the figures of *calls*."""
    return Counts(
        calls=len(calls),
        functions=len({(call.module, call.function) for call in calls}),
        modules=len({call.module for call in calls}),
        changes=changes(calls).total(),
    )


def changes(calls: Sequence[Call]) -> Counter[tuple[str, str]]:
    """Return how often *calls* went from one module to another."""
    threads = {
        call.thread: [each for each in calls if each.thread == call.thread] for call in calls
    }
    return Counter(pair for thread in threads.values() for pair in _pairs(thread))


def _pairs(thread: Sequence[Call]) -> Iterator[tuple[str, str]]:
    for before, after in pairwise(thread):
        if before.module != after.module:
            yield before.module, after.module
