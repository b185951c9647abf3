"""A state is one of ours, for ten minutes; what Meta answers to a login is read in both shapes."""

from __future__ import annotations

import json

import pytest

from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError, classify
from ak_instagram.meta.graph.token_calls import (
    SCOPES,
    IssuedToken,
    Login,
    read_issued,
    read_login,
    why_refused,
)
from ak_instagram.tokens.connecting import (
    LOGIN_LASTS,
    ConnectApp,
    ConnectRefused,
    missing_permissions,
)

APP = ConnectApp("990", "https://dm.example.com", "the-app-secret")
NOW = 1_764_547_200_000


def test_a_state_is_good_for_ten_minutes_and_unlike_any_other():
    state = APP.state(NOW)

    APP.check(state, NOW + LOGIN_LASTS - 1)
    assert APP.state(NOW) != state
    with pytest.raises(ConnectRefused, match="longer than ten minutes"):
        APP.check(state, NOW + LOGIN_LASTS)


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda state: "", id="none"),
        pytest.param(lambda state: "..", id="empty-parts"),
        pytest.param(lambda state: "é.ü.ö", id="not-ascii"),
        pytest.param(lambda state: f"9{state}", id="lasts-longer"),
        pytest.param(lambda state: state[:-1], id="cut-short"),
        pytest.param(
            lambda state: ConnectApp("990", "", "other").state(NOW), id="of-another-secret"
        ),
    ],
)
def test_a_state_that_is_not_ours_is_refused(forge):
    with pytest.raises(ConnectRefused, match="not begun here") as refused:
        APP.check(forge(APP.state(NOW)), NOW)

    assert refused.value.status == 403


LOGIN = {"access_token": "IGAAshort", "user_id": 26, "permissions": ",".join(SCOPES)}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"data": [LOGIN]}, id="as-documented"),
        pytest.param(LOGIN, id="flat"),
        pytest.param(LOGIN | {"permissions": list(SCOPES)}, id="listed"),
    ],
)
def test_a_login_is_read_in_either_shape(answer):
    login = read_login(json.dumps(answer).encode())

    assert login == Login("IGAAshort", frozenset(SCOPES))
    assert missing_permissions(login) == []


@pytest.mark.parametrize(
    ("permissions", "missing"),
    [
        pytest.param([], [], id="not-told"),
        pytest.param(SCOPES[:1], [SCOPES[1]], id="one-of-two"),
        pytest.param(["other"], list(SCOPES), id="another"),
    ],
)
def test_what_was_not_allowed_is_named(permissions, missing):
    assert missing_permissions(Login("t", frozenset(permissions))) == missing


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[]", id="no-object"),
        pytest.param(b'{"data": []}', id="empty-list"),
        pytest.param(b'{"access_token": 7, "user_id": 1}', id="no-token"),
        pytest.param('{"access_token": "é", "user_id": 1}'.encode(), id="not-ascii"),
        pytest.param(b'{"access_token": "t"}', id="no-user"),
    ],
)
def test_an_answer_that_is_no_login_is_refused(body):
    with pytest.raises(ValueError, match=r"^n"):
        read_login(body)


def test_a_refreshed_token_says_how_long_it_lasts():
    answer = {"access_token": "IGAAlong", "token_type": "bearer", "expires_in": 5183944}

    assert read_issued(json.dumps(answer).encode()) == IssuedToken("IGAAlong", 5183944)
    assert read_issued(b'{"access_token": "IGAAlong"}') == IssuedToken("IGAAlong", None)


USED = b'{"error_type": "OAuthException", "code": 400, "error_message": "was already used"}'


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(
            classify(400, USED, {}),
            "a token or code of another app, or one used already",
            id="code",
        ),
        pytest.param(
            GraphError(ErrorClass.AUTHORIZATION, code=190, subcode=463), "has expired", id="expired"
        ),
        pytest.param(
            GraphError(ErrorClass.AUTHORIZATION, code=190), "of the other login", id="unknown"
        ),
        pytest.param(GraphError(ErrorClass.TRANSIENT), "did not answer", id="silence"),
        pytest.param(GraphError(ErrorClass.BAD_REQUEST, code=7), "Meta refuses it", id="other"),
    ],
)
def test_a_refusal_is_told_in_a_sentence(error, sentence):
    assert sentence in why_refused(error)
