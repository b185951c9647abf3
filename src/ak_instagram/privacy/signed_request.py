"""
Signed requests: Meta's word that a user has removed the app, or wants their data deleted.

One is two parts of base64url with a dot between: an HMAC-SHA256, and the JSON that was signed as
it stands there, still encoded.
https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow (parsing), and
https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback.
Which of an app's secrets signs it for Instagram Login is not documented, so any of them may.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Sequence
from typing import NamedTuple

from ak_instagram import fast_json
from ak_instagram.errors import WebhookRejected
from ak_instagram.meta.lenient import as_id, as_number

MAX_AGE = 3600  # seconds that a request may be old
CLOCK_SLACK = 900  # seconds that Meta's clock may differ from this one
_ALGORITHM = "HMAC-SHA256"
_LONGEST = 8192  # characters; Meta's have some 300


class SignedRequest(NamedTuple):
    """
    A request that Meta signed.

    *user_id* is the user's id as this app knows them. *code* stands for this very request: the
    same for a repeat, and nobody who has not seen the request can guess it.
    """

    user_id: str
    code: str


def read_signed_request(text: str, secrets: Sequence[bytes], now: float) -> SignedRequest:
    """
    Return what *text* says, which one of *secrets* signed lately; *now* is in UTC seconds.

    Raises `errors.WebhookRejected`: 400 for what is no signed request, 403 for one that none of
    the secrets signed, or that is too old or not yet valid.
    """
    given, _, encoded = text.partition(".")
    if not given or not encoded or len(text) > _LONGEST:
        raise WebhookRejected(400, "signed_request is missing, or is none")
    if not secrets:
        raise WebhookRejected(403, "no instagram.app_secret is set to check signed_request with")
    signature = _decoded(given)
    # No early end: the time taken must not tell which secret matched.
    matches = [
        hmac.compare_digest(hmac.digest(secret, encoded.encode(), "sha256"), signature)
        for secret in secrets
    ]
    if not any(matches):
        raise WebhookRejected(403, "no configured secret signed this signed_request")
    payload = fast_json.load_object(_decoded(encoded)) or {}
    if str(payload.get("algorithm")).upper() != _ALGORITHM:
        raise WebhookRejected(400, f"signed_request is not signed by {_ALGORITHM}")
    _check_time(as_number(payload.get("issued_at")), as_number(payload.get("expires")), now)
    user_id = as_id(payload.get("user_id"))
    if not user_id:
        raise WebhookRejected(400, "signed_request names no user_id")
    return SignedRequest(user_id, hashlib.blake2b(signature, digest_size=10).hexdigest())


def _check_time(issued_at: int | None, expires: int | None, now: float) -> None:
    """Raise unless a request that was issued and expires then (UTC s) is good *now*."""
    if issued_at is None:
        raise WebhookRejected(403, "signed_request does not say when it was issued")
    if issued_at < now - MAX_AGE:
        raise WebhookRejected(403, "signed_request is stale: it was issued more than an hour ago")
    if issued_at > now + CLOCK_SLACK:
        raise WebhookRejected(403, "signed_request is issued in the future: is the clock right?")
    if expires and expires < now - CLOCK_SLACK:  # 0 is never
        raise WebhookRejected(403, "signed_request has expired")


def _decoded(part: str) -> bytes:
    """Return the bytes of a *part* in base64url, with or without its padding."""
    try:
        plain = part.rstrip("=").encode("ascii")
        return b64decode(plain + b"=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise WebhookRejected(400, "signed_request is not base64url") from None
