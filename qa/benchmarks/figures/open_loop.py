"""How long an acknowledgement takes at half the rate that is possible."""

from __future__ import annotations

from qa.benchmarks.bench import Bench, say
from qa.benchmarks.report import Figure, at_most
from qa.benchmarks.runs import STORING, run_service
from qa.benchmarks.samples import percentile

WITHIN = 25.0  # milliseconds


def measure(bench: Bench) -> list[Figure]:
    """Return the latencies at a fixed rate, each from when a webhook was due."""
    rates, medians, tails = [], [], []
    for number in range(1, bench.effort.rounds + 1):
        say(f"latency at half the rate: round {number} of {bench.effort.rounds}")
        rate = run_service(bench, STORING).rate / 2
        latencies = [s * 1000 for s in run_service(bench, STORING, rate).latencies]
        rates.append(rate)
        medians.append(percentile(latencies, 50))
        tails.append(percentile(latencies, 99))
    return [
        Figure("half the rate", rates, "/s"),
        Figure("acknowledged within, p50", medians, "ms"),
        Figure("acknowledged within, p99", tails, "ms", at_most(WITHIN)),
    ]
