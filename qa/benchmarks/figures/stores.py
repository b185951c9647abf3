"""PostgreSQL against SQLite, and three processes on one PostgreSQL against one."""

from __future__ import annotations

from contextlib import ExitStack

from qa.benchmarks import cores
from qa.benchmarks.bench import Bench, say
from qa.benchmarks.report import Figure
from qa.benchmarks.runs import Subject, run_service
from qa.benchmarks.samples import ratios
from qa.benchmarks.servers import no_turns
from qa.benchmarks.stores import Kind, using
from qa.benchmarks.turns import run_turns

REPLICAS = 3
# On all cores: PostgreSQL is processes of its own.
ACKNOWLEDGING = {kind: Subject(kind, no_turns(), on=cores.ALL, store=kind) for kind in Kind}


def measure(bench: Bench) -> list[Figure]:
    """Return acknowledgements and whole turns a second, and what they are of each other."""
    acks: dict[Kind, list[float]] = {kind: [] for kind in Kind}
    turns: dict[Kind, list[float]] = {kind: [] for kind in Kind}
    shared: list[float] = []
    for number in range(1, bench.effort.glances + 1):
        say(f"stores: round {number} of {bench.effort.glances}")
        for kind in Kind:
            acks[kind].append(run_service(bench, ACKNOWLEDGING[kind]).rate)
            turns[kind].append(_turns(bench, kind, replicas=1))
        shared.append(_turns(bench, Kind.POSTGRESQL, REPLICAS))
    lite, postgres = Kind.SQLITE, Kind.POSTGRESQL
    return [
        *(Figure(f"webhooks a second, all cores: {kind}", acks[kind], "/s") for kind in Kind),
        Figure("PostgreSQL of SQLite", ratios(acks[postgres], acks[lite])),
        *(Figure(f"whole turns a second, all cores: {kind}", turns[kind], "/s") for kind in Kind),
        Figure("PostgreSQL of SQLite", ratios(turns[postgres], turns[lite])),
        Figure(f"whole turns a second: {REPLICAS} processes on one PostgreSQL", shared, "/s"),
        Figure("of one process", ratios(shared, turns[postgres])),
    ]


def _turns(bench: Bench, kind: Kind, replicas: int) -> float:
    """Return what *replicas* processes answer a second, together."""
    settings = using(bench.new_store(kind))
    with ExitStack() as stack:
        servers = [
            stack.enter_context(bench.open_service(settings, cores.ALL)) for _ in range(replicas)
        ]
        return run_turns(bench, servers).rate
