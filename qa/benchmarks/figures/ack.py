"""How many webhooks are acknowledged a second, durable, against a route that stores nothing."""

from __future__ import annotations

from qa.benchmarks.bench import Bench, say
from qa.benchmarks.journal import Behaviour
from qa.benchmarks.report import Figure, at_least
from qa.benchmarks.runs import STORING, Subject, run_limit, run_service
from qa.benchmarks.samples import ratios

HUNG = Subject("agent and Graph API hang", peers=Behaviour(hung=True))


def measure(bench: Bench) -> list[Figure]:
    """Return the rates in a closed loop and what they are of each other."""
    limit: list[float] = []
    rates: dict[Subject, list[float]] = {subject: [] for subject in (STORING, HUNG)}
    for number in range(1, bench.effort.rounds + 1):
        say(f"acknowledged a second: round {number} of {bench.effort.rounds}")
        limit.append(run_limit(bench).rate)
        for subject, measured in rates.items():
            measured.append(run_service(bench, subject).rate)
    return [
        Figure("webhooks a second: the limit, which stores nothing", limit, "/s"),
        *(Figure(f"webhooks a second: {it.name}", rate, "/s") for it, rate in rates.items()),
        Figure("of the limit", ratios(rates[STORING], limit), "", at_least(0.7), aim=1.0),
        Figure("of that, while both hang", ratios(rates[HUNG], rates[STORING]), "", at_least(0.9)),
    ]
