"""
The key by which a repeat of an event is known.

Meta delivers at least once, in other batches too, and gives a message, its unsend,
its edits, its reactions and its "seen" one and the same mid. So the key has the kind
and whatever else tells two events of a kind apart, and nothing of the entry around them.
"""

from __future__ import annotations

import hashlib

from .kinds import Kind
from .loose import JsonObject, as_millis, as_number, as_text, dump_canonical

MOST_EDITS = 10  # of one message; Instagram lets people edit five times
_TOLD_BY_MID = frozenset(
    {Kind.MESSAGE, Kind.ECHO, Kind.SELF, Kind.UNSEND, Kind.EDIT_COMPANION, Kind.POSTBACK}
)


def dedup_key(kind: Kind, account: str, *discriminator: str) -> str:
    """Return 32 hex digits: short for an index, and safe to log."""
    # NUL can't be in a part, so no two lists of parts are joined to the same string.
    parts = "\0".join((kind, account, *discriminator))
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def edit_keys(account: str, mid: str) -> tuple[str, ...]:
    """Return the keys of all edits that the message *mid* may have."""
    return tuple(dedup_key(Kind.EDIT, account, mid, str(n)) for n in range(1, MOST_EDITS + 1))


def messaging_key(
    kind: Kind, account: str, sender: str | None, mid: str | None, item: JsonObject
) -> str:
    """Return the key of an item of `messaging[]`."""
    if mid is not None and kind in _TOLD_BY_MID:
        return dedup_key(kind, account, mid)
    return dedup_key(kind, account, *_discriminator(kind, sender, mid, item))


def content_key(kind: Kind, account: str, value: object) -> str:
    """Return the key of an event that only its whole content tells from others."""
    return dedup_key(kind, account, dump_canonical(value))


def _discriminator(
    kind: Kind, sender: str | None, mid: str | None, item: JsonObject
) -> tuple[str, ...]:
    """Return what tells *item* from others of its kind; all of it when no rule applies."""
    when = str(as_millis(item.get("timestamp")))
    match kind, item:
        case Kind.EDIT, {"message_edit": {"num_edit": count}} if mid and as_number(count):
            return (mid, str(as_number(count)))
        case Kind.REACTION, {"reaction": {"action": action, **rest}} if mid:
            return (mid, str(sender), _part(action), _part(rest.get("emoji")), when)
        case Kind.READ, _ if mid:
            return (mid, when)
        case Kind.POSTBACK, {"postback": {"payload": payload}} if sender:
            return (sender, _part(payload), when)
        case _:
            return (dump_canonical(item),)


def _part(value: object) -> str:
    return as_text(value) or ""
