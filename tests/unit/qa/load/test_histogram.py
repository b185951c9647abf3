"""Latencies are shown by class, from the fastest to the slowest."""

from __future__ import annotations

from qa.benchmarks.load.histogram import histogram


def test_the_slowest_and_the_empty_classes_between_are_shown():
    shown = histogram("webhook to 200", [0.0005, 0.0015, 0.0015, 0.0085])

    title, *bars = shown.splitlines()
    assert title == "webhook to 200: p50 1.5 ms, p90 8.5 ms, p99 8.5 ms, p99.9 8.5 ms, p100 8.5 ms"
    assert [bar.split()[:4] for bar in bars] == [
        ["≤", "1", "ms", "1"],
        ["≤", "2", "ms", "2"],
        ["≤", "5", "ms", "0"],
        ["≤", "10", "ms", "1"],
    ]
    assert bars[1].count("█") == 2 * bars[0].count("█")


def test_beyond_all_bounds_is_a_class_too():
    assert "> 10,000 ms        1 " in histogram("webhook to first piece", [60.0])
