"""Meta's check that the webhook is ours, made when its URL is saved in the App Dashboard."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

from ak_instagram.errors import WebhookRejected

# What is echoed must not be able to carry markup.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]+")


def answer_challenge(query: Mapping[str, str], verify_token: str) -> str:
    """
    Return the challenge in *query*, as it was sent.

    Raises `errors.WebhookRejected`: 403 for another mode or token, 400 for a
    challenge that is none. https://developers.facebook.com/docs/graph-api/webhooks/getting-started
    """
    is_known = hmac.compare_digest(
        query.get("hub.verify_token", "").encode(), verify_token.encode()
    )
    if query.get("hub.mode") != "subscribe" or not is_known:
        raise WebhookRejected(403, "hub.mode or hub.verify_token is not what was configured")
    challenge = query.get("hub.challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        raise WebhookRejected(400, "hub.challenge is not a challenge")
    return challenge
