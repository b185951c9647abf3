"""Whatever comes back instead of a 200 becomes one error, safe to log."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError, classify

TOKEN = "IGAAsecretsecretsecret"


def body(**error):
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("status", "answer", "on_send", "on_read"),
    [
        pytest.param(500, b"<html>", "outcome_unknown", "transient", id="html-500"),
        pytest.param(503, b"", "outcome_unknown", "transient", id="empty-503"),
        pytest.param(500, body(code=77777), "outcome_unknown", "transient", id="unknown-code-500"),
        pytest.param(500, body(code=1), "outcome_unknown", "transient", id="code-1"),
        pytest.param(500, body(code=2), "transient", "transient", id="code-2"),
        pytest.param(302, b"", "outcome_unknown", "transient", id="redirect"),
        pytest.param(400, b"[]", "transient", "transient", id="array"),
        pytest.param(400, b'"no"', "transient", "transient", id="string"),
        pytest.param(400, b"\xff\xfe", "transient", "transient", id="bytes"),
        pytest.param(400, b"[" * 20000, "transient", "transient", id="brackets"),
        pytest.param(400, b"<html>", "transient", "transient", id="html-400"),
        pytest.param(403, b"<html>", "transient", "transient", id="html-403"),
        pytest.param(404, b"<html>", "transient", "transient", id="html-404"),
        pytest.param(407, b"<html>", "transient", "transient", id="html-407"),
        pytest.param(403, b"", "transient", "transient", id="empty-403"),
        pytest.param(451, b"blocked", "transient", "transient", id="text-451"),
        pytest.param(403, b"{}", "bad_request", "bad_request", id="object-403"),
        pytest.param(404, b"{}", "bad_request", "bad_request", id="object-404"),
        pytest.param(400, b'{"error":"no"}', "bad_request", "bad_request", id="error-is-a-string"),
        pytest.param(400, b'{"error":[1]}', "bad_request", "bad_request", id="error-is-a-list"),
        pytest.param(400, body(code=77777), "bad_request", "bad_request", id="unknown-code"),
        pytest.param(
            400, body(code=77777, is_transient=True), "transient", "transient", id="is-transient"
        ),
        pytest.param(401, b"", "authorization", "authorization", id="401"),
        pytest.param(429, b"slow down", "rate_limited", "rate_limited", id="429"),
        pytest.param(
            400, body(code="190"), "authorization", "authorization", id="number-as-string"
        ),
        pytest.param(400, body(code=190.0), "authorization", "authorization", id="float"),
        pytest.param(
            400,
            body(code=10, error_subcode="2534022"),
            "window_closed",
            "window_closed",
            id="subcode-as-string",
        ),
        pytest.param(400, body(code="9" * 5000), "bad_request", "bad_request", id="endless-number"),
        pytest.param(400, b'{"error":{"code":1e999}}', "bad_request", "bad_request", id="infinity"),
        pytest.param(400, body(code=True), "bad_request", "bad_request", id="true"),
        pytest.param(400, body(code=None), "bad_request", "bad_request", id="null"),
    ],
)
def test_what_the_table_does_not_have_has_a_default(status, answer, on_send, on_read):
    assert classify(status, answer, {}).error_class == on_send
    assert classify(status, answer, {}, repeatable=True).error_class == on_read


def test_codes_status_and_trace_id_are_kept():
    answer = body(code=10, error_subcode=2534022, fbtrace_id="AbC_1-2")

    error = classify(400, answer, {})

    assert (error.code, error.subcode, error.status) == (10, 2534022, 400)
    assert error.fbtrace_id == "AbC_1-2"
    assert str(error) == (
        "window_closed: outside the 24 hour window"
        " code=10 subcode=2534022 status=400 fbtrace_id=AbC_1-2"
    )


def test_the_oauth_hosts_shape_is_read():
    answer = (
        b'{"error_type":"OAuthException","code":400,"error_message":"Matching code was not found"}'
    )

    error = classify(400, answer, {})

    assert (error.error_class, error.code) == (ErrorClass.BAD_REQUEST, 400)


def test_nothing_that_meta_says_in_words_is_in_the_text():
    answer = body(
        code=190,
        message=f"Cannot parse access token {TOKEN}",
        error_user_msg="Bitte melde dich an",
        fbtrace_id=f"{TOKEN} " + "x" * 100,
    )

    error = classify(400, answer, {})

    assert TOKEN not in f"{error} {error!r} {vars(error)}"
    assert "melde" not in f"{error} {error!r} {vars(error)}"


def test_an_error_without_an_answer_says_what_is_known():
    assert str(GraphError(ErrorClass.TRANSIENT)) == "transient"
    assert str(GraphError(ErrorClass.TRANSIENT, "not sent")) == "transient: not sent"


def usage(*minutes):
    cases = [{"type": "instagram", "estimated_time_to_regain_access": it} for it in minutes]
    return {"X-Business-Use-Case-Usage": json.dumps({"17841400000000001": cases})}


def app_usage(**members):
    return {"X-App-Usage": json.dumps({"total_time": 25, "total_cputime": 25} | members)}


def until(time, at=None):
    """Return headers that ask for a wait until *time*, answered *at* another on the same day."""
    day = "Wed, 21 Oct 2026"
    dated = {} if at is None else {"Date": f"{day} {at} GMT"}
    return dated | {"Retry-After": f"{day} {time} GMT"}


@pytest.mark.parametrize(
    ("code", "headers", "seconds"),
    [
        pytest.param(4, {}, None, id="no-header"),
        pytest.param(4, {"Retry-After": "30"}, 30, id="retry-after"),
        pytest.param(2, {"Retry-After": "30"}, 30, id="retry-after-of-any-error"),
        pytest.param(4, until("07:28:00", at="07:26:30"), 90, id="date-by-metas-own-clock"),
        pytest.param(4, until("07:28:00", at="07:30:00"), None, id="date-that-has-passed"),
        pytest.param(4, until("07:28:00"), None, id="date-and-no-clock"),
        pytest.param(4, until("07:28:00", at="noon"), None, id="date-and-a-broken-clock"),
        pytest.param(4, {"Retry-After": "nan"}, None, id="not-a-number"),
        pytest.param(4, {"Retry-After": "-5"}, None, id="negative"),
        pytest.param(4, {"Retry-After": "9" * 400}, 86400, id="absurd"),
        pytest.param(4, usage(0, 3), 180, id="minutes"),
        pytest.param(4, usage(0), None, id="no-minutes"),
        pytest.param(4, usage("2"), 120, id="minutes-as-string"),
        pytest.param(4, usage(None, [], {}), None, id="nonsense-minutes"),
        pytest.param(4, usage(1) | {"Retry-After": "90"}, 90, id="the-longer-one"),
        pytest.param(190, usage(3), None, id="minutes-of-another-matter"),
        pytest.param(4, app_usage(call_count=100), None, id="a-full-app-without-a-time"),
        pytest.param(
            4, app_usage(estimated_time_to_regain_access=5), 300, id="a-full-app-with-a-time"
        ),
        pytest.param(
            4, app_usage(estimated_time_to_regain_access=1) | usage(2), 120, id="the-longer-usage"
        ),
        pytest.param(4, {"X-Business-Use-Case-Usage": "{"}, None, id="broken"),
        pytest.param(4, {"X-Business-Use-Case-Usage": '{"1":{"a":1}}'}, None, id="not-a-list"),
        pytest.param(4, {"X-Business-Use-Case-Usage": '{"1":[1]}'}, None, id="list-of-numbers"),
    ],
)
def test_the_wait_that_is_asked_for_is_in_seconds(code, headers, seconds):
    assert classify(400, body(code=code), headers).retry_after == seconds


def test_header_names_have_no_case_on_the_wire():
    headers = CIMultiDict({"retry-after": "7"})

    assert classify(400, body(code=4), headers).retry_after == 7


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["error", "code", "error_subcode", "fbtrace_id", "is_transient"]), inner
        )
    ),
)


@given(JSON, st.sampled_from([301, 400, 403, 429, 500]))
@settings(max_examples=50, deadline=None)
def test_no_json_is_too_odd(answer, status):
    error = classify(status, json.dumps(answer).encode(), usage(answer))

    assert error.error_class in ErrorClass
