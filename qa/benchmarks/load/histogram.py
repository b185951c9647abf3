"""Latencies as a picture: how many took how long, and what the slowest took."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from qa.benchmarks.samples import percentile

BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)  # milliseconds
_WIDTH = 40  # characters of the longest bar
_PERCENTS = (50, 90, 99, 99.9, 100)


def histogram(title: str, seconds: Sequence[float]) -> str:
    """Return lines for *seconds*: percentiles, then a bar for each class that is not empty."""
    counts = _classes(seconds)
    used = [index for index, count in enumerate(counts) if count]
    bars = (_bar(index, counts[index], max(counts)) for index in range(used[0], used[-1] + 1))
    return "\n".join([f"{title}: {_percentiles(seconds)}", *bars])


def _classes(seconds: Sequence[float]) -> list[int]:
    """Return how many took at most each of `BOUNDS`, and more than all of them."""
    counts = [0] * (len(BOUNDS) + 1)
    for each in seconds:
        counts[bisect_left(BOUNDS, each * 1000)] += 1
    return counts


def _percentiles(seconds: Sequence[float]) -> str:
    return ", ".join(f"p{each:g} {percentile(seconds, each) * 1000:.1f} ms" for each in _PERCENTS)


def _bar(index: int, count: int, most: int) -> str:
    label = f"≤ {BOUNDS[index]:,} ms" if index < len(BOUNDS) else f"> {BOUNDS[-1]:,} ms"
    bar = "█" * max(round(_WIDTH * count / most), 1 if count else 0)
    return f"  {label:>12} {count:>8,} {bar}".rstrip()
