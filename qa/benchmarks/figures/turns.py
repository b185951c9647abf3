"""How many messages are answered a second, against a script that stores nothing."""

from __future__ import annotations

from qa.benchmarks.bench import Bench, say
from qa.benchmarks.report import Figure, at_least
from qa.benchmarks.samples import ratios
from qa.benchmarks.servers import open_bare_server
from qa.benchmarks.turns import Talk, run_turns


def measure(bench: Bench) -> list[Figure]:
    """Return the rates of whole turns on one core, their ratio, and what a turn takes of it."""
    bare: list[Talk] = []
    ours: list[Talk] = []
    for number in range(1, bench.effort.rounds + 1):
        say(f"answered a second: round {number} of {bench.effort.rounds}")
        with open_bare_server(bench.peers) as server:
            bare.append(run_turns(bench, [server]))
        with bench.open_service() as server:
            ours.append(run_turns(bench, [server]))
    rates, bare_rates = ([talk.rate for talk in talks] for talks in (ours, bare))
    taken, bare_taken = ([talk.cpu for talk in talks] for talks in (ours, bare))
    return [
        Figure("whole turns a second: bare script", bare_rates, "/s"),
        Figure("whole turns a second", rates, "/s"),
        Figure("of the bare script", ratios(rates, bare_rates), "", at_least(0.5)),
        Figure("CPU time of a turn: bare script", bare_taken, "ms"),
        Figure("CPU time of a turn", taken, "ms"),
        Figure("of the bare script", ratios(taken, bare_taken), "times"),
    ]
