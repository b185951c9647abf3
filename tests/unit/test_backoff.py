"""Waits grow to a limit, are spread by chance, and end."""

from __future__ import annotations

from typing import Any

import pytest

from ak_instagram.backoff import Backoff


def steady(**changes: Any) -> Backoff:
    return Backoff(chance=lambda: 0.0, **changes)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        pytest.param(1, 1, id="first"),
        pytest.param(2, 3, id="grows"),
        pytest.param(7, 600, id="up-to-the-longest"),
        pytest.param(8, None, id="gives-up"),
        pytest.param(9, None, id="stays-given-up"),
    ],
)
def test_waits_of_the_defaults(failures, seconds):
    assert steady().wait_or_give_up(failures) == seconds


def test_chance_shortens_a_wait_by_half_at_most():
    assert Backoff(chance=lambda: 1.0).wait(1) == 0.5


def test_a_wait_alone_never_gives_up_and_never_overflows():
    assert steady().wait(100_000) == 600
