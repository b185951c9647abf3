"""Only a token opens the admin's part, and guessing one takes too long."""

from __future__ import annotations

import pytest

from ak_instagram.admin.auth import (
    FAILURES,
    FAILURES_IN,
    MAX_ADDRESSES,
    SESSION,
    FailureLimiter,
    Gate,
    TooManyFailures,
    bearer,
    is_https,
    is_same_origin,
)
from tests.support.fakes import FakeClock

TOKEN, READ = "full-token", "read-token"


@pytest.fixture
def clock():
    return FakeClock(1000)


@pytest.fixture
def gate(clock):
    return Gate(TOKEN, READ, now=clock, limiter=FailureLimiter(clock))


@pytest.mark.parametrize(
    ("token", "role"),
    [
        pytest.param(TOKEN, "full", id="full"),
        pytest.param(READ, "read", id="read"),
        pytest.param("", None, id="empty"),
        pytest.param(TOKEN[:-1], None, id="a-part"),
        pytest.param("\udcff", None, id="no-text"),
    ],
)
def test_a_token_says_what_its_caller_may(gate, token, role):
    caller = gate.by_token(token, "::1")

    assert (caller.role if caller else None) == role
    assert caller is None or caller.may_change == (role == "full")


def test_an_empty_read_token_is_nobodys():
    assert Gate(TOKEN, "").by_token("", "::1") is None


def test_an_address_that_fails_often_waits_and_others_do_not(gate, clock):
    for _ in range(FAILURES):
        assert gate.by_token("wrong", "10.0.0.1") is None

    with pytest.raises(TooManyFailures):
        gate.by_token(TOKEN, "10.0.0.1")
    assert gate.by_token(TOKEN, "10.0.0.2") is not None
    clock.move(int(FAILURES_IN) + 1)
    assert gate.by_token(TOKEN, "10.0.0.1") is not None


def test_failures_of_very_many_addresses_are_not_all_remembered(clock):
    limiter = FailureLimiter(clock)
    for number in range(MAX_ADDRESSES + 1):
        for _ in range(FAILURES if number == 0 else 1):
            limiter.note(str(number))

    assert limiter.wait("0") == 0


def test_a_session_lasts_until_it_ends(gate, clock):
    caller = gate.by_token(TOKEN, "::1")
    cookie = gate.new_session(caller)

    assert gate.by_cookie(cookie).may_change
    assert gate.by_cookie(cookie).form_token
    clock.move(SESSION)
    assert gate.by_cookie(cookie) is None


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda it: it.replace("read.", "full."), id="role"),
        pytest.param(lambda it: it.replace(".4", ".9"), id="end"),
        pytest.param(lambda it: it[:-1], id="signature"),
        pytest.param(lambda _it: "", id="nothing"),
        pytest.param(lambda _it: "full.\u0661.x.y", id="other-digits"),
        pytest.param(lambda _it: "full.99999999999.x.\xff", id="no-ascii"),
    ],
)
def test_a_forged_session_is_none(gate, forge):
    cookie = gate.new_session(gate.by_token(READ, "::1"))

    assert gate.by_cookie(forge(cookie)) is None


def test_a_new_token_ends_the_sessions_of_the_old(gate, clock):
    cookie = gate.new_session(gate.by_token(TOKEN, "::1"))

    assert Gate("new", now=clock).by_cookie(cookie) is None


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        pytest.param({"authorization": "Bearer abc"}, "abc", id="bearer"),
        pytest.param({"authorization": "bearer  abc "}, "abc", id="other-case"),
        pytest.param({"authorization": "Basic abc"}, None, id="basic"),
        pytest.param({"authorization": "Bearer"}, None, id="no-token"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_token_is_in_the_authorization(headers, token):
    assert bearer(headers) == token


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        pytest.param({"origin": "http://a:1"}, True, id="origin"),
        pytest.param({"sec-fetch-site": "same-origin"}, True, id="fetch-site"),
        pytest.param({"origin": "http://b", "sec-fetch-site": "same-origin"}, False, id="both"),
        pytest.param({"origin": "null"}, False, id="null"),
        pytest.param({"origin": "http://a:1", "sec-fetch-site": "cross-site"}, False, id="site"),
        pytest.param({"sec-fetch-site": "none"}, False, id="typed"),
        pytest.param({}, False, id="neither"),
    ],
)
def test_a_form_has_to_come_from_our_own_page(headers, is_ours):
    assert is_same_origin({"host": "a:1", **headers}) == is_ours


@pytest.mark.parametrize(
    ("scheme", "headers", "secure"),
    [
        pytest.param("https", {}, True, id="itself"),
        pytest.param("http", {"x-forwarded-proto": "https, http"}, True, id="proxy"),
        pytest.param("http", {}, False, id="plain"),
    ],
)
def test_https_is_known_behind_a_proxy_too(scheme, headers, secure):
    assert is_https(scheme, headers) == secure
