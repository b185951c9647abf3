"""
What Meta's message ids tell: when the message was said.

An id is opaque to Meta's documentation, and nothing that has to be right may depend on
its form. It happens to be base64 (a `Z` in it escapes itself and the `=`) of
`ig_dm_item:1:IGMessageID:ACCOUNT:THREAD:ITEM`, where the upper half of the 128 bits of
ITEM is the time in microseconds: so it is in all ids of 2024 to 2026 that have been
published together with their events.
"""

from __future__ import annotations

import base64
import binascii

_TIME_SHIFT = 64  # bits below the time in an item's number
_LATEST = 1 << 48  # UTC ms; as much as fits 12 hex digits


def said_at(mid: str) -> int | None:
    """Return the UTC ms that *mid* tells, `None` if it has another form."""
    plain = mid.replace("ZD", "=").replace("ZA", "Z")
    try:
        _, _, item = base64.b64decode(plain, validate=True).rpartition(b":")
        at = (int(item) >> _TIME_SHIFT) // 1000
    except (ValueError, binascii.Error):
        return None
    return at if 0 < at < _LATEST else None
