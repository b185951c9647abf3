"""The fullest store is held against the emptiest, sample by sample."""

from __future__ import annotations

from qa.benchmarks.figures.depth import GROWTH, grown


def test_costs_in_fuller_stores_are_multiples_of_those_in_the_emptiest():
    samples = {1_000_000: [30.0, 60.0], 1_000: [10.0, 30.0], 100_000: [20.0, 30.0]}

    emptiest, middle, fullest = grown("SQLite, ack", samples)

    assert (emptiest.name, emptiest.samples, emptiest.unit) == (
        "SQLite, ack: 1,000 events",
        [10.0, 30.0],
        "µs",
    )
    assert (middle.name, middle.samples, middle.target) == (
        "the same with 100,000 events",
        [2.0, 1.0],
        None,
    )
    assert (fullest.name, fullest.samples, fullest.target) == (
        "the same with 1,000,000 events",
        [3.0, 2.0],
        GROWTH,
    )
