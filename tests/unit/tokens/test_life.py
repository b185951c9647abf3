"""A token's end is told ten, five and two days before, and it is refreshed in the middle."""

from __future__ import annotations

import pytest

from ak_instagram.tokens.life import (
    DAY,
    LIFE,
    Expiry,
    digest,
    expiry,
    half_life,
    masked,
    retry_at,
    written,
)

NOW = 1_764_547_200_000


@pytest.mark.parametrize(
    ("left", "warning"),
    [
        pytest.param(60 * DAY, None, id="new"),
        pytest.param(10 * DAY + 1, None, id="a-moment-before"),
        pytest.param(10 * DAY, 10, id="ten-days"),
        pytest.param(5 * DAY + 1, 10, id="six-days"),
        pytest.param(5 * DAY, 5, id="five-days"),
        pytest.param(2 * DAY, 2, id="two-days"),
        pytest.param(1, 2, id="the-last-moment"),
        pytest.param(0, 0, id="over"),
        pytest.param(-DAY, 0, id="long-over"),
    ],
)
def test_the_end_is_told_in_three_steps(left, warning):
    assert Expiry(NOW + left, is_known=True).warning(NOW) == warning


@pytest.mark.parametrize(
    ("expires_at", "expires", "found"),
    [
        pytest.param(NOW + DAY, True, Expiry(NOW + DAY, is_known=True), id="as-meta-said"),
        pytest.param(None, True, Expiry(NOW + LIFE, is_known=False), id="from-the-first-sight"),
        pytest.param(None, False, None, id="never"),
    ],
)
def test_an_end_is_known_from_meta_or_counted(expires_at, expires, found):
    assert expiry(NOW, expires_at, expires=expires) == found


@pytest.mark.parametrize(
    ("life", "after"),
    [
        pytest.param(60 * DAY, 30 * DAY, id="half"),
        pytest.param(DAY, DAY, id="a-day-old-at-least"),
    ],
)
def test_a_token_is_refreshed_in_the_middle_of_its_life(life, after):
    assert half_life(NOW, NOW + life) == NOW + after


def test_a_refresh_that_failed_is_tried_again_until_the_token_has_expired():
    waits = [(retry_at(NOW, failures, NOW + 30 * DAY) or 0) - NOW for failures in (1, 2, 9)]

    assert 300_000 <= waits[0] <= 600_000
    assert waits[0] < waits[1] < waits[2] <= DAY
    assert retry_at(NOW, 9, NOW + DAY // 2) is None


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        pytest.param("IGAA" + "x" * 170 + "last", "IGAA…last", id="as-meta-makes-them"),
        pytest.param("IGAAshort", "IGAA…", id="short"),
    ],
)
def test_a_token_is_shown_by_its_ends(token, shown):
    assert masked(token) == shown


def test_a_digest_knows_a_token_again_and_does_not_tell_it():
    assert digest("IGAAtoken") == digest("IGAAtoken") != digest("IGAAtokem")
    assert "IGAA" not in digest("IGAAtoken")


def test_times_are_written_for_people():
    assert [written(at) for at in (NOW, None)] == ["2025-12-01T00:00+00:00", "never"]
