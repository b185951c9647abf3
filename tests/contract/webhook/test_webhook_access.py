"""Who gets in: Meta's check of the address, and posts that one of our secrets signed."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from ak_instagram.webhook.signature import sign
from tests.support.webhook_bench import SECRETS, VERIFY_TOKEN, post_of, text_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = json.dumps(post_of(text_event())).encode()
GOOD = sign(SECRETS[0], BODY)
SHA1 = "sha1=" + hmac.new(SECRETS[0].encode(), BODY, hashlib.sha1).hexdigest()


def question(**changes: str) -> dict[str, str]:
    """Return Meta's query, with *changes*."""
    asked = {"mode": "subscribe", "verify_token": VERIFY_TOKEN, "challenge": "1158201444"}
    return {f"hub.{name}": value for name, value in (asked | changes).items()}


async def test_the_challenge_is_echoed_as_it_was_sent(webhook):
    async with webhook.session.get(webhook.url, params=question()) as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        assert await response.text() == "1158201444"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param(question(verify_token="wrong"), 403, id="wrong-token"),
        pytest.param(question(verify_token="vérifiez"), 403, id="non-ascii-token"),
        pytest.param(question(mode="unsubscribe"), 403, id="wrong-mode"),
        pytest.param({}, 403, id="nothing"),
        pytest.param(question(challenge="<script>"), 400, id="markup"),
        pytest.param(question(challenge=""), 400, id="empty-challenge"),
    ],
)
async def test_any_other_question_is_refused(webhook, query, status):
    async with webhook.session.get(webhook.url, params=query) as response:
        assert response.status == status
        assert "<script>" not in await response.text()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
async def test_other_methods_are_not_allowed(webhook, method):
    async with webhook.session.request(method, webhook.url, data=BODY) as response:
        assert response.status == 405

    assert await webhook.mids() == []


async def test_a_signed_post_is_stored(webhook):
    assert await webhook.post_with(BODY, {"X-Hub-Signature-256": GOOD}) == 200

    assert await webhook.mids() == ["mid-1"]


async def test_any_secret_will_do_and_the_log_tells_which(webhook):
    signature = sign(SECRETS[1], BODY)

    assert await webhook.post_with(BODY, {"X-Hub-Signature-256": signature}) == 200

    assert [line["secret"] for line in webhook.logged] == [1]
    assert await webhook.mids() == ["mid-1"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="unsigned"),
        pytest.param({"X-Hub-Signature-256": sign("wrong", BODY)}, id="wrong-secret"),
        pytest.param({"X-Hub-Signature-256": sign(SECRETS[0], BODY + b" ")}, id="other-body"),
        pytest.param({"X-Hub-Signature": SHA1}, id="sha-1-only"),
        pytest.param({"X-Hub-Signature-256": SHA1}, id="sha-1-in-its-place"),
        pytest.param({"X-Hub-Signature-256": GOOD.upper()}, id="upper-case"),
        pytest.param(
            {"X-Hub-Signature-256": "sha256=" + GOOD.removeprefix("sha256=").upper()},
            id="upper-case-hex",
        ),
        pytest.param({"X-Hub-Signature-256": GOOD[:-1]}, id="cut"),
        pytest.param(
            {"X-Hub-Signature-256": "sha256=" + "é" * 32}, id="non-ascii-of-the-right-length"
        ),
        pytest.param({"X-Hub-Signature-256": ""}, id="empty"),
    ],
)
async def test_a_post_that_no_secret_signed_is_refused_and_not_stored(webhook, headers):
    assert await webhook.post_with(BODY, headers) == 403

    assert await webhook.mids() == []
    [line] = webhook.logged
    assert (line["event"], line["method"]) == ("webhook.rejected", "POST")
    assert GOOD.removeprefix("sha256=")[:-1] not in str(line).lower()


async def test_the_signature_is_over_the_escapes_as_they_came(webhook):
    r"""Meta writes `é` as `\u00e9`, and signs that."""
    body = json.dumps(post_of(text_event(text="Où est ma commande ? 🎉"))).encode()
    assert b"\\u00f9" in body

    assert await webhook.post_with(body, {"X-Hub-Signature-256": sign(SECRETS[0], body)}) == 200

    [(payload,)] = await webhook.stored("payload")
    assert json.loads(payload)["message"]["text"] == "Où est ma commande ? 🎉"


async def test_without_a_secret_unsigned_posts_are_taken(open_door):
    assert await open_door.post_with(BODY, {}) == 200

    assert await open_door.mids() == ["mid-1"]
