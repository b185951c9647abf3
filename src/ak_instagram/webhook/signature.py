"""
The two proofs that it is Meta: the signature of a webhook, and the handshake for its URL.

A webhook is signed in `X-Hub-Signature-256`. The handshake is a GET with our verify token, made
when the URL is saved in the App Dashboard.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence

from ak_instagram.errors import WebhookRejected

_PREFIX = b"sha256="
_HEADER_LENGTH = len(_PREFIX) + 64

# What is echoed must not be able to carry markup.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]+")


def sign(secret: str, body: bytes) -> str:
    """Return the header's value for *body*: `sha256=` and 64 lower-case hex digits."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def is_well_formed(header: bytes | None) -> bool:
    """Whether *header* has the form that `sign` writes, whoever made it."""
    return header is not None and len(header) == _HEADER_LENGTH and header.startswith(_PREFIX)


def matching_secret(secrets: Sequence[bytes], header: bytes | None, body: bytes) -> int | None:
    r"""
    Return the index of the secret that signed *body*, or `None` if none of them did.

    0 is a match, so compare with `None`. *body* must be the bytes as received: Meta
    signs what it sends, `\uXXXX` escapes and all. A header of another form than
    `sign` writes (SHA-1, upper case, anything else) matches no secret; nothing raises.
    """
    if header is None or not is_well_formed(header):
        return None
    given = header[len(_PREFIX) :]
    match = None
    # No early end: the time taken must not tell which secret matched.
    for index, secret in enumerate(secrets):
        expected = hmac.digest(secret, body, "sha256").hex().encode()
        if hmac.compare_digest(expected, given) and match is None:
            match = index
    return match


def answer_handshake(query: Mapping[str, str], verify_token: str) -> str:
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
