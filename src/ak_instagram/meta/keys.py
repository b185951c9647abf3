"""
The key by which a repeat of an event is known.

Meta delivers at least once, in other batches too, and gives a message, its unsend,
its edits, its reactions and its "seen" one and the same mid. So the key has the kind
and whatever else tells two events of a kind apart, and nothing of the entry around them.

A key that rests on a mid begins with the time that the mid tells: the index of keys then
grows at its end, where the pages are that were written last. A mid that tells no time
makes a key that is as good, only in no order.
"""

from __future__ import annotations

import base64
import hashlib

from .events import ONCE_PER_MESSAGE, Kind
from .lenient import JsonObject, as_millis, as_number, as_text, dump_canonical

MAX_EDITS = 10  # of one message; Instagram lets people edit five times

_TIME_SHIFT = 64  # bits below the time in an item's number
_LATEST = 1 << 48  # UTC ms; as much as fits 12 hex digits


def said_at(mid: str) -> int | None:
    """Return the UTC ms that *mid* tells, `None` if it has another form."""
    plain = mid.replace("ZD", "=").replace("ZA", "Z")
    try:
        _, _, item = base64.b64decode(plain, validate=True).rpartition(b":")
        at = (int(item) >> _TIME_SHIFT) // 1000
    except ValueError:  # binascii's errors are such
        return None
    return at if 0 < at < _LATEST else None


def dedup_key(kind: Kind, account: str, *discriminator: str) -> str:
    """Return 32 hex digits: short for an index, and safe to log."""
    return _digest(16, kind, account, *discriminator)


def mid_key(kind: Kind, account: str, mid: str, *discriminator: str) -> str:
    """Return the key, as `dedup_key` does, of an event that is about the message *mid*."""
    at = said_at(mid)
    if at is None:
        return dedup_key(kind, account, mid, *discriminator)
    return f"{at:012x}{_digest(10, kind, account, mid, *discriminator)}"


def _digest(size: int, *parts: str) -> str:
    # NUL can't be in a part, so no two lists of parts are joined to the same string.
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=size).hexdigest()


def edit_keys(account: str, mid: str) -> tuple[str, ...]:
    """Return the keys of all edits that the message *mid* may have."""
    return tuple(mid_key(Kind.EDIT, account, mid, str(n)) for n in range(1, MAX_EDITS + 1))


def content_key(kind: Kind, account: str, value: object) -> str:
    """Return the key of an event that only its whole content tells from others."""
    return dedup_key(kind, account, dump_canonical(value))


def messaging_key(
    kind: Kind, account: str, sender: str | None, mid: str | None, item: JsonObject
) -> str:
    """Return the key of an item of `messaging[]`: of all that is in it when no rule applies."""
    if mid is not None and kind in ONCE_PER_MESSAGE:
        return mid_key(kind, account, mid)
    when = str(as_millis(item.get("timestamp")))
    match kind, item:
        case Kind.EDIT, {"message_edit": {"num_edit": count}} if mid and as_number(count):
            return mid_key(kind, account, mid, str(as_number(count)))
        case Kind.REACTION, {"reaction": {"action": action, **rest}} if mid:
            reaction = as_text(action) or "", as_text(rest.get("emoji")) or ""
            return mid_key(kind, account, mid, str(sender), *reaction, when)
        case Kind.READ, _ if mid:
            return mid_key(kind, account, mid, when)
        case Kind.POSTBACK, {"postback": {"payload": payload}} if sender:
            return dedup_key(kind, account, sender, as_text(payload) or "", when)
        case _:
            return content_key(kind, account, item)
