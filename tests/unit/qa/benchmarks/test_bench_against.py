"""A comparison of two revisions measures both in turn and prints the ratios of neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from qa.benchmarks import against
from qa.benchmarks.bench import Bench
from qa.benchmarks.report import Figure

THERE = Path("/somewhere/else/src")


@dataclass(frozen=True)
class Tools:
    """A bench of which only *source* matters; nothing is written."""

    source: Path | None = None

    def tidy(self) -> None:
        """Leave everything as it is."""


def test_both_are_measured_in_turn():
    measured: list[Path | None] = []

    def measure(bench: Bench) -> list[Figure]:
        measured.append(bench.source)
        return [Figure("acks", [len(measured)], "/s")]

    pairs = against.measure(cast("Bench", Tools()), THERE, [measure])

    assert measured == [None, THERE] * against.TURNS
    assert pairs == [against.Pair("acks", "/s", [1, 3, 5, 7, 9], [2, 4, 6, 8, 10])]


def test_the_table_has_the_median_of_the_ratios_of_neighbours():
    pair = against.Pair("start", "s", [1.0, 2.0, 9.0], [2.0, 2.0, 10.0])

    printed = against.table([pair], "v1")

    *_, row = printed.splitlines()
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "start",
        "2 s",
        "2 s",
        "0.900",
        "0.50 … 1.00",
    ]
