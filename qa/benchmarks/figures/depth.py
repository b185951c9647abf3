"""Whether storing and claiming take longer the more is in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from qa.benchmarks.bench import Bench, say
from qa.benchmarks.filling import make, people_in
from qa.benchmarks.report import Figure, Target, at_most
from qa.benchmarks.runs import CONVERSATIONS, Subject, run_on
from qa.benchmarks.samples import ratios
from qa.benchmarks.servers import no_turns
from qa.benchmarks.stores import Kind
from qa.benchmarks.verbs import TOGETHER, Cost, Plan
from qa.benchmarks.verbs import measure as measure_verbs

GROWTH = at_most(1.2)  # from the emptiest to the fullest


def measure(bench: Bench) -> list[Figure]:
    """Return what an ack and a claim cost in an empty store, and how much more in fuller ones."""
    return [figure for kind in Kind for figure in _figures(bench, kind)]


def _figures(bench: Bench, kind: Kind) -> Iterator[Figure]:
    stores = {depth: bench.new_store(kind) for depth in bench.effort.depths}
    for depth, store in stores.items():
        say(f"cost by depth, {kind}: {depth:,} events are written")
        asyncio.run(make(store, depth))
    yield from grown(f"{kind}, a webhook", _webhooks(bench, kind, stores))
    say(f"cost by depth, {kind}: the store's own verbs")
    yield from _verbs(kind, measure_verbs(Plan(stores, bench.effort.rounds, bench.effort.batches)))


def _webhooks(bench: Bench, kind: Kind, stores: Mapping[int, str]) -> Mapping[int, list[float]]:
    """Return the µs of a webhook, of as many as can be acknowledged, from people all over."""
    subject = Subject(kind, no_turns(), store=kind)
    costs: dict[int, list[float]] = {depth: [] for depth in stores}
    for number in range(1, bench.effort.glances + 1):
        say(f"cost by depth, {kind}: webhooks, round {number} of {bench.effort.glances}")
        for depth, store in stores.items():
            apart = max(people_in(depth) // CONVERSATIONS, 1)
            with bench.copied(store) as copy:
                costs[depth].append(1e6 / run_on(copy, bench, subject, apart=apart).rate)
    return costs


def _verbs(kind: Kind, costs: Mapping[int, Sequence[Cost]]) -> Iterator[Figure]:
    for name, field, target in (
        ("ack alone", "ack_alone", GROWTH),
        ("claim alone", "claim_alone", GROWTH),
        (f"ack, {TOGETHER} at once", "ack", None),
        (f"claim, {TOGETHER} at once", "claim", None),
    ):
        samples = {depth: [getattr(cost, field) for cost in costs[depth]] for depth in costs}
        yield from grown(f"{kind}, {name}", samples, target)


def grown(
    name: str, samples: Mapping[int, Sequence[float]], target: Target | None = GROWTH
) -> Iterator[Figure]:
    """Yield the cost in the emptiest store, and those in the others as multiples of it."""
    emptiest, *fuller = sorted(samples)
    yield Figure(f"{name}: {emptiest:,} events", samples[emptiest], "µs")
    for depth in fuller:
        growth = ratios(samples[depth], samples[emptiest])
        limit = target if depth == fuller[-1] else None
        yield Figure(f"the same with {depth:,} events", growth, "times", limit)
