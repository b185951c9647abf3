"""What many measurements amount to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

__all__ = ["median", "percentile", "ratios"]


def percentile(samples: Iterable[float], percent: float) -> float:
    """Return the smallest sample that at least *percent* of all *samples* do not exceed."""
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("no samples")
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(int(rank), 1) - 1]


def ratios(of: Sequence[float], to: Sequence[float]) -> list[float]:
    """Return the ratio of each pair: neighbours in time, so that the machine's moods cancel."""
    return [one / other for one, other in zip(of, to, strict=True)]
