"""Whether storing and claiming take longer the more is in the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.bench import Bench, say
from benchmarks.report import Figure, at_most
from benchmarks.samples import ratios
from benchmarks.stores import Kind
from benchmarks.verbs import TOGETHER, Cost, Plan
from benchmarks.verbs import measure as measure_verbs

GROWTH = at_most(1.2)  # from the emptiest to the fullest


def measure(bench: Bench) -> list[Figure]:
    """Return what an ack and a claim cost in an empty store, and how much more in fuller ones."""
    return [figure for kind in Kind for figure in _figures(kind, _measured(bench, kind))]


def _measured(bench: Bench, kind: Kind) -> Mapping[int, Sequence[Cost]]:
    depths = bench.effort.depths
    say(f"cost by depth, {kind}: {' + '.join(f'{depth:,}' for depth in depths)} events")
    stores = {depth: bench.new_store(kind) for depth in depths}
    return measure_verbs(Plan(stores, bench.effort.rounds, bench.effort.batches))


def _figures(kind: Kind, costs: Mapping[int, Sequence[Cost]]) -> Iterator[Figure]:
    for name, cost_of in (
        ("ack alone", lambda cost: cost.ack_alone),
        (f"ack, {TOGETHER} at once", lambda cost: cost.ack),
        (f"claim, {TOGETHER} at once", lambda cost: cost.claim),
    ):
        samples = {depth: [cost_of(cost) for cost in costs[depth]] for depth in costs}
        yield from grown(f"{kind}, {name}", samples)


def grown(name: str, samples: Mapping[int, Sequence[float]]) -> Iterator[Figure]:
    """Yield the cost in the emptiest store, and those in the others as multiples of it."""
    emptiest, *fuller = sorted(samples)
    yield Figure(f"{name}: {emptiest:,} events", samples[emptiest], "µs")
    for depth in fuller:
        target = GROWTH if depth == fuller[-1] else None
        growth = ratios(samples[depth], samples[emptiest])
        yield Figure(f"the same with {depth:,} events", growth, "times", target)
