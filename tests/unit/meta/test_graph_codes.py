"""Each documented pair of code and subcode has its class, on sends and on reads."""

from __future__ import annotations

import json

import pytest

from ak_instagram.meta.graph.codes import RULES, ErrorClass
from ak_instagram.meta.graph.errors import classify

T = ErrorClass.TRANSIENT
RL = ErrorClass.RATE_LIMITED
AUTH = ErrorClass.AUTHORIZATION
WIN = ErrorClass.WINDOW_CLOSED
USR = ErrorClass.PERSON_UNAVAILABLE
BAD = ErrorClass.BAD_REQUEST
BLK = ErrorClass.ACCOUNT_RESTRICTED
UNK = ErrorClass.OUTCOME_UNKNOWN

TABLE = [
    (1, None, UNK),
    (1, 99, UNK),
    (1, 1357046, UNK),
    (2, None, T),
    (2, 1545133, T),
    (3, None, AUTH),
    (4, None, RL),
    (10, None, AUTH),
    (10, 1893063, BLK),
    (10, 2018065, WIN),
    (10, 2018108, USR),
    (10, 2018278, WIN),
    (10, 2534022, WIN),
    (10, 2534048, AUTH),
    (10, 2534077, AUTH),
    (12, None, BLK),
    (17, None, RL),
    (27, None, BAD),
    (32, None, RL),
    (100, None, BAD),
    (101, None, BLK),
    (2635, None, BLK),
    (100, 33, BAD),
    (100, 2018001, USR),
    (100, 2018008, T),
    (100, 2018047, BAD),
    (100, 2018074, BAD),
    (100, 2018109, BAD),
    (100, 2018294, T),
    (100, 2534013, AUTH),
    (100, 2534014, USR),
    (100, 2534015, BAD),
    (100, 2534025, BAD),
    (100, 2534029, BLK),
    (100, 2534037, USR),
    (102, None, AUTH),
    (190, None, AUTH),
    (190, 458, AUTH),
    (190, 459, AUTH),
    (190, 460, AUTH),
    (190, 463, AUTH),
    (190, 464, AUTH),
    (190, 467, AUTH),
    (190, 492, AUTH),
    (200, None, AUTH),
    (200, 1545041, USR),
    (200, 2534041, AUTH),
    (200, 2534048, AUTH),
    (200, 2534066, AUTH),
    (230, None, USR),
    (299, None, AUTH),
    (341, None, RL),
    (368, None, BLK),
    (508, 2534122, T),
    (551, None, USR),
    (551, 1545041, USR),
    (613, None, RL),
    (613, 2018338, BLK),
    (613, 2534040, RL),
    (2022, None, BLK),
    (9010, None, USR),
    (10900, None, BAD),
    (10903, 1893049, USR),
    (10904, 1893050, AUTH),
    (36103, None, AUTH),
    (80002, None, RL),
    (80006, None, RL),
    (2018300, None, USR),
    (2534001, None, USR),
    (2534068, None, BAD),
    (9000001, None, BAD),
    # A subcode may come with any code, a known code with an unknown subcode.
    (10, 2018300, USR),
    (100, 2534001, USR),
    (100, 2534068, BAD),
    (10, 7, AUTH),
    (100, 7, BAD),
    (190, 7, AUTH),
    (250, 7, AUTH),
    (4, 7, RL),
]


def error(code, subcode, status=400):
    body = {"error": {"message": "(#1) Ein Fehler", "type": "OAuthException", "code": code}}
    if subcode is not None:
        body["error"]["error_subcode"] = subcode
    return classify(status, json.dumps(body).encode(), {})


@pytest.mark.parametrize(("code", "subcode", "error_class"), TABLE)
def test_code_and_subcode_decide(code, subcode, error_class):
    assert error(code, subcode).error_class is error_class


@pytest.mark.parametrize("status", [400, 403, 500])
def test_the_status_changes_nothing_about_a_known_code(status):
    assert error(190, 463, status).error_class is AUTH


def test_each_rule_is_tested():
    tested = {(code, subcode) for code, subcode, _ in TABLE}
    by_subcode = {subcode for _, subcode in tested} | {code for code, _ in tested}

    missing = [
        (code, subcode)
        for code, subcode in RULES
        if (code, subcode) not in tested and not (code is None and subcode in by_subcode)
    ]

    assert missing == []


@pytest.mark.parametrize(
    ("code", "subcode", "failures", "error_class"),
    [
        pytest.param(1, 99, 1, UNK, id="unknown-once"),
        pytest.param(1, 99, 2, AUTH, id="unknown-again-is-a-permission"),
        pytest.param(2, None, 2, T, id="temporary"),
        pytest.param(2, None, 3, USR, id="temporary-for-ever-is-a-block"),
        pytest.param(100, 2018008, 1, T, id="file-once"),
        pytest.param(100, 2018008, 2, BAD, id="file-again"),
        pytest.param(100, 2018294, 2, BAD, id="video-again"),
        pytest.param(508, 2534122, 2, T, id="links"),
        pytest.param(508, 2534122, 3, BLK, id="links-for-ever"),
        pytest.param(190, 463, 9, AUTH, id="never-another"),
        pytest.param(None, None, 9, BAD, id="no-code"),
    ],
)
def test_some_errors_mean_something_else_when_they_stay(code, subcode, failures, error_class):
    assert error(code, subcode).class_after(failures) is error_class
