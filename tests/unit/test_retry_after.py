"""Retry-After says when to try again, whatever a server writes into it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ak_instagram.backoff import parse_retry_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST = 3600.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("0", 0.0, id="now"),
        pytest.param(" 120 ", 120.0, id="seconds"),
        pytest.param("Thu, 01 Jan 2026 00:02:00 GMT", 120.0, id="date"),
        pytest.param("Thursday, 01-Jan-26 00:02:00 GMT", 120.0, id="date-of-rfc-850"),
        pytest.param("Thu, 01 Jan 2026 00:02:00 -0000", 120.0, id="date-without-zone"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, id="past-date"),
        pytest.param("86400", LONGEST, id="a-day"),
        pytest.param("9" * 400, LONGEST, id="for-ever"),
        pytest.param(None, None, id="absent"),
        pytest.param("", None, id="empty"),
        pytest.param("soon", None, id="word"),
        pytest.param("-5", None, id="negative"),
        pytest.param("nan", None, id="not-a-number"),
    ],
)
def test_retry_after_is_read_in_both_forms_and_kept_within_bounds(value, seconds):
    assert parse_retry_after(value, NOW, LONGEST) == seconds


@given(st.text())
def test_no_retry_after_breaks_the_reader(value):
    seconds = parse_retry_after(value, NOW, LONGEST)

    assert seconds is None or 0 <= seconds <= LONGEST
