"""The signature that Meta puts on a webhook: `X-Hub-Signature-256`."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

_PREFIX = b"sha256="
_HEADER_LENGTH = len(_PREFIX) + 64


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
