"""The table says what was measured, what was promised, and whether it was kept."""

from __future__ import annotations

import pytest

from qa.benchmarks.report import Figure, at_least, at_most, table


@pytest.mark.parametrize(
    ("target", "missed"),
    [
        pytest.param(at_least(0.7), False, id="enough"),
        pytest.param(at_least(0.9), True, id="not-enough"),
        pytest.param(at_most(0.8), False, id="little-enough"),
        pytest.param(at_most(0.7), True, id="too-much"),
        pytest.param(None, False, id="nothing-promised"),
    ],
)
def test_the_median_decides(target, missed):
    figure = Figure("ratio", [0.1, 0.8, 5.0], target=target)

    assert figure.is_missed is missed


def test_the_table_is_markdown_and_aligned():
    figures = [
        Figure("rate", [1234.5, 2345.6, 3456.7], "/s"),
        Figure("of the limit", [0.5], "", at_least(0.7), aim=1.0),
        Figure("start", [1.25], "s", at_most(1.5)),
    ]

    assert table(figures).splitlines() == [
        "| figure       | median   | from … to     | target         | verdict |",
        "|--------------|----------|---------------|----------------|---------|",
        "| rate         | 2,346 /s | 1,234 … 3,457 |                |         |",
        "| of the limit | 0.50     |               | ≥ 0.70 (aim 1) | missed  |",
        "| start        | 1.25 s   |               | ≤ 1.50         | met     |",
    ]
