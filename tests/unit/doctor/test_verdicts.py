"""Each figure and each refusal has one verdict, with a fix whenever it is not well."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from ak_instagram.doctor.finding import Result
from ak_instagram.doctor.local_checks import version_verdict
from ak_instagram.doctor.meta_checks import forbidden, kind_of, life_verdict, refused
from ak_instagram.doctor.run import CHECKS
from ak_instagram.doctor.store_checks import clock_verdict
from ak_instagram.doctor.way_checks import callback_url
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError, classify
from ak_instagram.meta.graph.versions import LIVING, end_of
from ak_instagram.tokens.report import AccountReport

META = "https://graph.instagram.com"
TODAY = date(2026, 12, 1)


def test_codes_are_unique_and_in_the_documents_order():
    codes = [each.code for each in CHECKS]

    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"AKI-\d{3}", code) for code in codes)
    assert all(each.about and each.title for each in CHECKS)


@pytest.mark.parametrize(
    ("version", "result", "words"),
    [
        pytest.param("v3.1", Result.ERROR, "has ended", id="ancient"),
        pytest.param("v20.0", Result.ERROR, "has ended on 2026-09-24", id="ended"),
        pytest.param("v21.0", Result.WARNING, "ends on 2027-01-21, in 51 days", id="soon"),
        pytest.param("v22.0", Result.OK, "ends on 2027-05-20", id="later"),
        pytest.param("v26.0", Result.OK, "no end", id="not-known"),
        pytest.param("v31.0", Result.OK, "no end", id="of-the-future"),
    ],
)
def test_a_version_is_judged_by_its_end(version, result, words):
    verdict = version_verdict(version, end_of(version), TODAY)

    assert (verdict.result, words in verdict.text) == (result, True)
    assert (LIVING in verdict.fix) is (result is not Result.OK)


def test_the_version_that_comes_along_lives():
    assert end_of(LIVING) is None


@pytest.mark.parametrize(
    ("ahead", "result", "words"),
    [
        pytest.param(0.2, Result.OK, "agrees", id="right"),
        pytest.param(-59, Result.OK, "to 59 s", id="nearly"),
        pytest.param(61, Result.WARNING, "61 s behind", id="behind"),
        pytest.param(-600, Result.ERROR, "600 s ahead of", id="ten-minutes-ahead"),
    ],
)
def test_clocks_may_differ_by_a_minute(ahead, result, words):
    verdict = clock_verdict(ahead, "this machine's")

    assert (verdict.result, words in verdict.text) == (result, True)


def answered(code: int, subcode: int | None = None, status: int = 400) -> GraphError:
    sub = "" if subcode is None else f', "error_subcode": {subcode}'
    body = f'{{"error": {{"code": {code}{sub}}}}}'
    return classify(status, body.encode(), {}, repeatable=True)


@pytest.mark.parametrize(
    ("exc", "result", "text", "fix"),
    [
        pytest.param(answered(190), Result.ERROR, "refuses", "cut", id="not-a-token"),
        pytest.param(answered(190, 463), Result.ERROR, "expired", "60 days", id="expired"),
        pytest.param(answered(190, 460), Result.ERROR, "refuses", "password", id="password"),
        pytest.param(answered(190, 458), Result.ERROR, "refuses", "removed", id="app-removed"),
        pytest.param(answered(2, status=500), Result.WARNING, "not say", "again", id="trouble"),
        pytest.param(
            GraphError(ErrorClass.TRANSIENT, "not sent: ClientConnectorDNSError"),
            Result.ERROR,
            "can't be asked",
            "graph.instagram.com:443",
            id="unreachable",
        ),
    ],
)
def test_a_refused_token_is_told_with_what_helps(exc, result, text, fix):
    verdict = refused("", exc, "instagram", META)

    assert verdict.result is result
    assert text in verdict.text
    assert fix in verdict.fix


@pytest.mark.parametrize(
    ("exc", "result", "fix"),
    [
        pytest.param(answered(200, 2534041), Result.ERROR, "Allow access to messages", id="off"),
        pytest.param(answered(10), Result.ERROR, "manage_messages", id="permission"),
        pytest.param(answered(4), Result.WARNING, "again", id="limit"),
    ],
)
def test_what_forbids_messages_is_told_apart(exc, result, fix):
    verdict = forbidden("", exc, "instagram")

    assert (verdict.result, fix in verdict.fix) == (result, True)


DAY = 86_400_000
NOW = 1_800_000_000_000
TOLD = AccountReport(
    account="1",
    username="shop",
    login="instagram",
    source="settings",
    agent=None,
    state="ok",
    token="IGAA…",
    seen_at=NOW - 3 * DAY,
    expires_at=NOW + 57 * DAY,
)


@pytest.mark.parametrize(
    ("changes", "has_key", "result", "text"),
    [
        pytest.param({}, True, Result.OK, "3 days old or more, and ends on 2027-03-13", id="fresh"),
        pytest.param({}, False, Result.OK, "is not refreshed", id="no-key"),
        pytest.param({"seen_at": None}, True, Result.OK, "not been used yet", id="new"),
        pytest.param({"state": "expires"}, True, Result.WARNING, "ends on", id="ends-soon"),
        pytest.param({"state": "expired"}, True, Result.ERROR, "has ended", id="ended"),
        pytest.param({"state": "locked"}, True, Result.ERROR, "a key that is not set", id="locked"),
        pytest.param({"error": "limit"}, True, Result.WARNING, "failed: limit", id="not-refreshed"),
        pytest.param(
            {"login": "unified", "expires_at": None}, False, Result.OK, "days old", id="unified"
        ),
    ],
)
def test_a_tokens_life_is_judged_by_its_end_and_its_refresh(changes, has_key, result, text):
    verdict = life_verdict(replace(TOLD, **changes), NOW, has_key=has_key, several=False)

    assert verdict.result is result
    assert text in verdict.text


@pytest.mark.parametrize(
    ("token", "kind"),
    [("IGAAx", "IG"), ("IGQVx", "IG"), ("EAAx", "EAA"), ('"IGAAx', ""), ("", "")],
)
def test_a_token_tells_its_login_by_how_it_begins(token, kind):
    assert kind_of(token) == kind


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("bot.example.com", "https://bot.example.com/instagram/webhook"),
        ("https://bot.example.com/", "https://bot.example.com/instagram/webhook"),
        ("http://localhost:8000", "http://localhost:8000/instagram/webhook"),
        ("https://bot.example.com/other?x=1#y", "https://bot.example.com/other"),
    ],
)
def test_of_a_host_alone_the_webhooks_path_is_meant(given, url):
    assert callback_url(given) == url
