"""The safety net under the log: what looks like a secret is masked, the rest is untouched."""

from __future__ import annotations

import pytest

from ak_instagram.masking import MASK, Masking, without_password


def masked(event, secrets=()):
    return Masking(secrets)(None, "info", dict(event))


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "verify_token",
        "hub.verify_token",
        "app_secret",
        "Authorization",
        "X-Hub-Signature-256",
        "api_key",
        "apikey",
        "password",
        "text",
    ],
)
@pytest.mark.parametrize("value", ["short", b"bytes", ["in a list"], {"in": "a mapping"}])
def test_a_secret_is_known_by_its_name(name, value):
    assert masked({name: value}) == {name: MASK}


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"secret": 2, "tokens": 1.5, "signature": None, "text": False}, id="numbers"),
        pytest.param({"context": "x", "texts_sent": "two"}, id="names-that-are-not-text"),
        pytest.param({"mid": "aWdfZAG1faXRlbToxOklHTWVEAAxc2FnZAUl"}, id="message-id"),
        pytest.param({"reason": "no access_token was given"}, id="words-about-secrets"),
        pytest.param({"event": "IGNORED", "url": "https://x/y?a=b"}, id="words-and-links"),
    ],
)
def test_what_is_no_secret_stays(event):
    assert masked(event) == event


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("got IGAAabcdefghijklmnop!", "got ***!", id="instagram-token"),
        pytest.param("IGQVJabcdefghijklmnop", "***", id="old-instagram-token"),
        pytest.param("(EAAGm0PX4ZCpsBAKZCabc)", "(***)", id="facebook-token"),
        pytest.param("Authorization: Bearer abc.def", "Authorization: Bearer ***", id="bearer"),
        pytest.param("authorization: bearer abc", "authorization: bearer ***", id="bearer-small"),
        pytest.param("sha256=00ffAA, sha1=00ff", "sha256=***, sha1=***", id="signatures"),
        pytest.param("/me?access_token=a1&b=2", "/me?access_token=***&b=2", id="query"),
        pytest.param("?hub.verify_token=a&b=2", "?hub.verify_token=***&b=2", id="verify-token"),
        pytest.param('{"access_token": "a1"}', '{"access_token": "***"}', id="json"),
        pytest.param("{'client_secret': 'a1'}", "{'client_secret': '***'}", id="repr"),
        pytest.param("known-secret-2 known-secret", "*** ***", id="configured"),
    ],
)
def test_a_secret_is_known_by_its_look(text, after):
    secrets = ["known-secret", "known-secret-2"]

    assert masked({"reason": text}, secrets) == {"reason": after}
    assert masked({"event": text, "logger": "x"}, secrets) == {"event": after, "logger": "x"}


def test_our_own_words_are_never_masked_even_if_a_secret_is_one_of_them():
    event = {"timestamp": "2026-11-23T01:10:00Z", "level": "warning", "event": "webhook.rejected"}

    assert masked(event | {"reason": "webhook"}, ["webhook", "warning", "2026-11"]) == event | {
        "reason": MASK
    }


def test_nested_values_and_objects_are_searched_too():
    event = {"a": {"b": [("sha1=0f",)], "token": "t"}, "error": ValueError("Bearer x")}

    assert masked(event) == {
        "a": {"b": [["sha1=***"]], "token": MASK},
        "error": "ValueError('Bearer ***')",
    }


def test_a_very_short_secret_does_not_mask_half_of_the_line():
    assert masked({"event": "a test"}, secrets=["te", ""]) == {"event": "a test"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///data/store.db", "sqlite:///data/store.db"),
        ("postgresql://db/shop", "postgresql://db/shop"),
        ("postgresql://bot:p%40ss@db:5432/shop", "postgresql://bot:***@db:5432/shop"),
        (
            "postgresql://bot@db/shop?password=p&sslmode=require",
            "postgresql://bot@db/shop?password=***&sslmode=require",
        ),
    ],
)
def test_a_store_s_url_is_shown_without_what_is_secret(url, shown):
    assert without_password(url) == shown
