"""The metrics of the service, and the labels that each of them has."""

from __future__ import annotations

from typing import TypeAlias

from prometheus_client import Counter, Gauge, Histogram

from ak_instagram import metrics

Metric: TypeAlias = Counter | Gauge | Histogram

METRICS: list[Metric] = [
    it for it in vars(metrics).values() if isinstance(it, (Counter, Gauge, Histogram))
]


def labels_of(metric: Metric) -> tuple[str, ...]:
    """Return the names of the metric's labels, whether it has samples yet or not."""
    return tuple(metric._labelnames)
