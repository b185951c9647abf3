"""Which core runs what: the subject alone on one, everything that measures it on another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from contextlib import contextmanager

# Chosen when a process starts, so before anything is pinned.
_ALLOWED = sorted(os.sched_getaffinity(0))

ALL = frozenset(_ALLOWED)
SUBJECT = frozenset(_ALLOWED[:1])
MEASURING = frozenset(_ALLOWED[1:2]) or ALL


def pin(cores: Set[int]) -> None:
    """Keep this process, and what it starts, on *cores*."""
    os.sched_setaffinity(0, cores)


@contextmanager
def pinned(cores: Set[int]) -> Iterator[None]:
    """Start processes on *cores* while the block runs."""
    before = os.sched_getaffinity(0)
    pin(cores)
    try:
        yield
    finally:
        pin(before)
