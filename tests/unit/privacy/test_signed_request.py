"""A signed request is taken if one of our secrets signed it lately, and refused with the reason."""

from __future__ import annotations

import pytest

from ak_instagram.errors import WebhookRejected
from ak_instagram.privacy.signed_request import CLOCK_SLACK, MAX_AGE, read_signed_request
from instagram_simulator.webhooks.callbacks import base64url, signed_request

NOW = 1_800_000_000.0
SECRETS = (b"instagram-secret", b"meta-secret")


def claims(**changes: object) -> dict[str, object]:
    """Return what Meta would sign, with *changes*; `None` takes a claim out."""
    whole = {
        "algorithm": "HMAC-SHA256",
        "issued_at": int(NOW),
        "expires": 0,
        "user_id": "24600000000000001",
    }
    return {name: it for name, it in (whole | changes).items() if it is not None}


def signed(secret: str = "instagram-secret", **changes: object) -> str:
    return signed_request(claims(**changes), secret)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(signed(), id="the-instagram-secret"),
        pytest.param(signed("meta-secret"), id="the-meta-secret"),
        pytest.param(signed(user_id=24600000000000001), id="an-id-that-is-a-number"),
        pytest.param(signed(issued_at=int(NOW) - MAX_AGE + 1), id="nearly-an-hour-old"),
        pytest.param(signed(issued_at=int(NOW) + 600), id="a-clock-ten-minutes-off"),
        pytest.param(signed(expires=int(NOW) + 60), id="not-expired"),
        pytest.param(signed(algorithm="hmac-sha256"), id="small-letters"),
        pytest.param(signed().replace(".", "==."), id="with-padding"),
    ],
)
def test_what_meta_signs_is_read(text):
    assert read_signed_request(text, SECRETS, NOW).user_id == "24600000000000001"


def test_a_repeat_has_the_same_code_and_another_request_another():
    first, again = (read_signed_request(signed(), SECRETS, NOW) for _ in range(2))
    other = read_signed_request(signed(issued_at=int(NOW) - 1), SECRETS, NOW)

    assert first.code == again.code != other.code
    assert first.code.isalnum()


def forged() -> str:
    """Return the claims of one request under the signature of another."""
    return f"{signed().partition('.')[0]}.{signed(user_id='1').partition('.')[2]}"


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        pytest.param("", 400, "missing, or is none", id="nothing"),
        pytest.param("abc", 400, "missing, or is none", id="one-part"),
        pytest.param("x" * 9000 + ".y", 400, "missing, or is none", id="endless"),
        pytest.param("ä.ö", 400, "not base64url", id="no-base64"),
        pytest.param(signed("another-apps"), 403, "no configured secret", id="another-secret"),
        pytest.param(forged(), 403, "no configured secret", id="forged"),
        pytest.param(f".{signed().partition('.')[2]}", 400, "is none", id="no-signature"),
        pytest.param(f"AAAA.{signed().partition('.')[2]}", 403, "no configured", id="short"),
        pytest.param(signed(algorithm="none"), 400, "HMAC-SHA256", id="no-algorithm"),
        pytest.param(signed(issued_at=int(NOW) - MAX_AGE - 1), 403, "stale", id="stale"),
        pytest.param(
            signed(issued_at=int(NOW) + CLOCK_SLACK + 1), 403, "the future", id="from-the-future"
        ),
        pytest.param(signed(issued_at=None), 403, "when it was issued", id="undated"),
        pytest.param(signed(expires=int(NOW) - CLOCK_SLACK - 1), 403, "expired", id="expired"),
        pytest.param(signed(user_id=None), 400, "no user_id", id="nobody"),
        pytest.param(signed(user_id={"id": "1"}), 400, "no user_id", id="an-object"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text, status, reason):
    with pytest.raises(WebhookRejected, match=reason) as refusal:
        read_signed_request(text, SECRETS, NOW)

    assert refusal.value.status == status


def test_without_a_secret_nothing_is_taken():
    with pytest.raises(WebhookRejected, match=r"no instagram\.app_secret is set") as refusal:
        read_signed_request(signed(), (), NOW)

    assert refusal.value.status == 403


def test_signed_garbage_is_refused():
    text = signed_request({}, "instagram-secret")
    signature_of_nothing = text.partition(".")[0]

    with pytest.raises(WebhookRejected):
        read_signed_request(f"{signature_of_nothing}.{base64url(b'[')}", SECRETS, NOW)
