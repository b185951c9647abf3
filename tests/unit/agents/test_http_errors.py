"""An agent's status and Retry-After decide whether to try again, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ak_instagram.agents.http_errors import MAX_RETRY_AFTER, check_status, parse_retry_after
from ak_instagram.errors import Permanent, Transient

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_raises_nothing(status):
    assert check_status(status) is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_transient(status):
    with pytest.raises(Transient) as caught:
        check_status(status, retry_after=3.0)

    assert caught.value.retry_after == 3.0


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        pytest.param(301, "set agent.url", id="moved"),
        pytest.param(400, "agent answered 400$", id="bad-request"),
        pytest.param(401, "check agent.api_key", id="unauthorised"),
        pytest.param(404, "check agent.url", id="not-found"),
        pytest.param(422, "agent answered 422$", id="unprocessable"),
    ],
)
def test_any_other_status_is_permanent_and_says_what_to_check(status, advice):
    with pytest.raises(Permanent, match=advice):
        check_status(status)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("0", 0.0, id="now"),
        pytest.param(" 120 ", 120.0, id="seconds"),
        pytest.param("Thu, 01 Jan 2026 00:02:00 GMT", 120.0, id="date"),
        pytest.param("Thursday, 01-Jan-26 00:02:00 GMT", 120.0, id="date-of-rfc-850"),
        pytest.param("Thu, 01 Jan 2026 00:02:00 -0000", 120.0, id="date-without-zone"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, id="past-date"),
        pytest.param("86400", MAX_RETRY_AFTER, id="a-day"),
        pytest.param("9" * 400, MAX_RETRY_AFTER, id="for-ever"),
        pytest.param(None, None, id="absent"),
        pytest.param("", None, id="empty"),
        pytest.param("soon", None, id="word"),
        pytest.param("-5", None, id="negative"),
        pytest.param("nan", None, id="not-a-number"),
    ],
)
def test_retry_after_is_read_in_both_forms_and_kept_within_bounds(value, seconds):
    assert parse_retry_after(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_breaks_the_reader(value):
    seconds = parse_retry_after(value, NOW)

    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER
