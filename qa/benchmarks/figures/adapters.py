"""What each adapter costs beside the calls that it makes, and beside `http`."""

from __future__ import annotations

from qa.benchmarks.asking import Costs
from qa.benchmarks.asking import measure as measure_costs
from qa.benchmarks.bench import Bench, say
from qa.benchmarks.report import Figure, at_most
from qa.benchmarks.samples import ratios

QUESTIONS = 400  # in a round of each adapter, and as many by bare calls
BASE = "http"
BOUND = 1.3


def measure(bench: Bench) -> list[Figure]:
    """Return each adapter's CPU time beside that of its bare calls, over that of `http`."""
    say("a question to each adapter, and the same calls without it")
    costs = measure_costs(QUESTIONS, bench.effort.rounds)
    base = _overheads(costs[BASE])
    figures = [Figure(f"CPU of `{BASE}` beside its bare call", base, "µs")]
    for name, cost in costs.items():
        if name != BASE:
            over = ratios([it / cost.calls for it in _overheads(cost)], base)
            calls = f", {cost.calls} calls, of one" if cost.calls > 1 else ""
            figures.append(Figure(f"of that `{name}`{calls}", over, "", at_most(BOUND)))
    return figures


def _overheads(cost: Costs) -> list[float]:
    return [ours - bare for ours, bare in zip(cost.adapter, cost.bare, strict=True)]
