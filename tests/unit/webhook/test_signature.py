"""Only a body signed with one of our secrets gets in, and nothing in a header can break that."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from ak_instagram.webhook.signature import matching_secret, sign

BODY = b'{"object":"instagram"}'
DIGEST = hmac.new(b"first", BODY, hashlib.sha256).hexdigest().encode()


def test_signing_is_hmac_sha256_in_lower_case_hex():
    assert sign("first", BODY) == f"sha256={DIGEST.decode()}"


@pytest.mark.parametrize(
    ("signer", "index"),
    [
        pytest.param("first", 0, id="the-only-or-first"),
        pytest.param("second", 1, id="another"),
        pytest.param("stranger", None, id="none-of-ours"),
        pytest.param("", None, id="an-empty-secret"),
    ],
)
def test_the_secret_that_signed_is_told_by_its_index(signer, index):
    header = sign(signer, BODY).encode()

    assert matching_secret([b"first", b"second"], header, BODY) == index


def test_of_two_equal_secrets_the_first_counts():
    assert matching_secret([b"first", b"first"], b"sha256=" + DIGEST, BODY) == 0


def test_without_secrets_nothing_matches():
    assert matching_secret([], sign("", BODY).encode(), BODY) is None


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"", id="empty"),
        pytest.param(
            b"sha1=" + hmac.new(b"first", BODY, hashlib.sha1).hexdigest().encode(), id="sha1"
        ),
        pytest.param(b"sha1=0" + DIGEST[:-1] + b"00", id="sha1-as-long-as-sha256"),
        pytest.param(DIGEST, id="no-prefix"),
        pytest.param(b"sha256=", id="prefix-only"),
        pytest.param(b"sha256=" + DIGEST[:-1], id="too-short"),
        pytest.param(b"sha256=" + DIGEST + b"0", id="too-long"),
        pytest.param(b"sha256=" + DIGEST.upper(), id="upper-case-hex"),
        pytest.param(b"SHA256=" + DIGEST, id="upper-case-prefix"),
        pytest.param(b"sha256=" + b"g" * 64, id="not-hex"),
        pytest.param(b"sha256=" + b"\xff" * 64, id="not-ascii"),
        pytest.param(b"sha256=" + "é".encode() * 32, id="utf-8"),
        pytest.param(b"sha256=" + b"\0" * 64, id="nul"),
        pytest.param(b" sha256=" + DIGEST[:-1], id="leading-blank"),
    ],
)
def test_any_other_header_is_refused_without_an_exception(header):
    assert matching_secret([b"first"], header, BODY) is None


def test_a_changed_body_is_refused():
    header = sign("first", BODY).encode()

    assert matching_secret([b"first"], header, BODY + b" ") is None


def test_the_signature_covers_the_escapes_as_sent_and_not_what_they_mean():
    escaped = json.dumps({"text": "äöå"}, ensure_ascii=True).encode()
    plain = json.dumps({"text": "äöå"}, ensure_ascii=False).encode()
    header = sign("first", escaped).encode()

    assert matching_secret([b"first"], header, escaped) == 0
    assert matching_secret([b"first"], header, plain) is None
