"""Percentiles are samples, never something in between."""

from __future__ import annotations

import pytest

from qa.benchmarks.samples import percentile, ratios


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        pytest.param(0, 1, id="the-least"),
        pytest.param(50, 50, id="half"),
        pytest.param(99, 99, id="all-but-one"),
        pytest.param(99.5, 100, id="rounded-up"),
        pytest.param(100, 100, id="the-most"),
    ],
)
def test_a_percentile_is_the_first_sample_that_so_many_do_not_exceed(percent, expected):
    samples = range(100, 0, -1)

    assert percentile(samples, percent) == expected


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 99)


def test_ratios_are_those_of_neighbours():
    assert ratios([1, 9], [2, 3]) == [0.5, 3]
