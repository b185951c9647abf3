"""Meta's check of the webhook is answered as it was asked, to Meta only."""

from __future__ import annotations

import pytest

from ak_instagram.errors import WebhookRejected
from ak_instagram.webhook.signature import answer_handshake

QUESTION = {"hub.mode": "subscribe", "hub.verify_token": "secret", "hub.challenge": "0115"}


@pytest.mark.parametrize("challenge", ["1158201444", "0115", "a-B_9"])
def test_the_challenge_comes_back_as_sent(challenge):
    assert answer_handshake({**QUESTION, "hub.challenge": challenge}, "secret") == challenge


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"hub.verify_token": "wrong"}, 403, id="wrong-token"),
        pytest.param({"hub.verify_token": "sécret"}, 403, id="token-not-ascii"),
        pytest.param({"hub.verify_token": ""}, 403, id="empty-token"),
        pytest.param({"hub.mode": "unsubscribe"}, 403, id="another-mode"),
        pytest.param({"hub.challenge": "<script>"}, 400, id="markup"),
        pytest.param({"hub.challenge": "1\n"}, 400, id="newline"),
        pytest.param({"hub.challenge": ""}, 400, id="empty-challenge"),
    ],
)
def test_anything_else_is_refused(changes, status):
    with pytest.raises(WebhookRejected) as refused:
        answer_handshake({**QUESTION, **changes}, "secret")

    assert refused.value.status == status


def test_missing_parameters_are_refused():
    with pytest.raises(WebhookRejected) as refused:
        answer_handshake({}, "secret")

    assert refused.value.status == 403
