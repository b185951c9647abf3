"""
Figures of the last half hour, taken from this process's metrics, for the console's charts.

A sample is a few dozen numbers; so many are kept as make half an hour, whoever looks or not.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

from ak_instagram import metrics

EVERY = 10.0  # seconds between two samples
KEPT = 181  # samples
WINDOW = 30  # intervals that the figures beside a chart are of: five minutes

_COUNTED: dict[str, tuple[MetricWrapperBase, str, frozenset[str]]] = {
    "webhooks": (metrics.WEBHOOKS, "status", frozenset()),
    "answered": (metrics.TURNS, "outcome", frozenset({"answered", "silent"})),
    "failed": (metrics.TURNS, "outcome", frozenset({"retried", "dead"})),
    "sent": (metrics.DELIVERY_ATTEMPTS, "outcome", frozenset({"sent"})),
}
_TIMED: dict[str, Histogram] = {
    "webhook": metrics.WEBHOOK_SECONDS,
    "agent": metrics.TURN_SECONDS,
    "delivery": metrics.DELIVERY_SECONDS,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """All counters *at* a time (steady clock), and the cumulated buckets of the histograms."""

    at: float
    counts: dict[str, float]
    buckets: dict[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True, slots=True)
class Rate:
    """Events a minute: *now* over five minutes, and each interval of half an hour, oldest first."""

    now: float
    past: tuple[float, ...]


class Figures:
    """The samples of this process; *now* is the clock."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._samples: deque[Sample] = deque([self._take()], maxlen=KEPT)

    async def run(self, every: float = EVERY) -> None:
        """Take samples; never return."""
        while True:
            await asyncio.sleep(every)
            self.sample()

    def sample(self) -> None:
        """Take a sample now."""
        self._samples.append(self._take())

    def rate(self, name: str) -> Rate:
        """Return how often what is called *name* happened."""
        samples = [*self._samples, self._take()]
        past = tuple(_per_minute(name, *pair) for pair in pairwise(samples))
        recent = samples[-min(len(samples), WINDOW + 1)]
        return Rate(_per_minute(name, recent, samples[-1]), past)

    def quantile(self, name: str, share: float) -> float | None:
        """
        Return the seconds within which *share* of what was timed as *name* lately was done.

        That is the upper bound of a bucket; `None` if there was nothing in five minutes.
        """
        newest = self._take()
        oldest = self._samples[-min(len(self._samples), WINDOW)]
        then = dict(oldest.buckets[name])
        grown = [(bound, count - then.get(bound, 0)) for bound, count in newest.buckets[name]]
        return _quantile(grown, share)

    def _take(self) -> Sample:
        return Sample(
            self._now(),
            {name: _count(*what) for name, what in _COUNTED.items()},
            {name: _buckets(timed) for name, timed in _TIMED.items()},
        )


def _count(counter: MetricWrapperBase, label: str, values: frozenset[str]) -> float:
    return sum(
        sample.value
        for family in counter.collect()
        for sample in family.samples
        if not values or sample.labels.get(label) in values
    )


def _buckets(timed: Histogram) -> tuple[tuple[float, float], ...]:
    return tuple(
        (float(sample.labels["le"]), sample.value)
        for family in timed.collect()
        for sample in family.samples
        if sample.name.endswith("_bucket")
    )


def _per_minute(name: str, before: Sample, after: Sample) -> float:
    seconds = after.at - before.at
    return (after.counts[name] - before.counts[name]) * 60 / seconds if seconds > 0 else 0.0


def _quantile(buckets: Sequence[tuple[float, float]], share: float) -> float | None:
    total = buckets[-1][1] if buckets else 0
    if not total:
        return None
    return next(bound for bound, count in buckets if count >= share * total)
