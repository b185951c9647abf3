"""
Turn the body of a webhook into events.

Meta puts them in four places of an entry, leaves parts out, and adds new ones without
notice. So all that is JSON is taken: what is not understood is counted, and what can't
be read costs none of its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ak_instagram import fast_json
from ak_instagram.errors import WebhookRejected

from .changes import read_change, read_unknown
from .events import Event, Webhook
from .loose import as_id, as_list, as_millis
from .messaging import read_messaging, read_standby

_Reader: TypeAlias = Callable[[object, str, int], Event | None]

_READERS: tuple[tuple[str, _Reader], ...] = (
    ("messaging", read_messaging),
    ("standby", read_standby),
    ("changes", read_change),
)
# Where an entry has its events: in one of the lists, or it is a change itself.
_PLACES = frozenset({"messaging", "standby", "changes", "field"})


def parse_webhook(body: bytes, received: int) -> Webhook:
    """
    Return all events in *body*, in its order.

    *received* (UTC milliseconds) is the time of an event that has none, in itself or
    in its entry. Raises `WebhookRejected` for what is not JSON, and for nothing else.
    """
    found: list[Event | None] = []
    for envelope in as_list(_load(body)):
        found += _read_envelope(envelope, received)
    events = tuple(filter(None, found))
    return Webhook(events, unreadable=len(found) - len(events))


def _load(body: bytes) -> object:
    # `from None`: what json and the decoder raise holds the body.
    try:
        return fast_json.load(body)
    except ValueError:
        raise WebhookRejected(400, "the body is not JSON") from None
    except RecursionError:
        raise WebhookRejected(400, "the body is nested too deeply") from None


def _read_envelope(envelope: object, received: int) -> list[Event | None]:
    """Return the events of one envelope, `None` for each that can't be read."""
    if not isinstance(envelope, dict):
        return [None]
    # The dashboard's test may send what belongs into an entry without one.
    entries = as_list(envelope["entry"]) if "entry" in envelope else [envelope]
    is_ours = envelope.get("object") in (None, "instagram")
    found: list[Event | None] = []
    for entry in entries:
        found += _read_entry(entry, received, is_ours=is_ours)
    return found


def _read_entry(entry: object, received: int, *, is_ours: bool) -> list[Event | None]:
    if not isinstance(entry, dict):
        return [None]
    account, at = as_id(entry.get("id")) or "", as_millis(entry.get("time")) or received
    if not is_ours or _PLACES.isdisjoint(entry):
        return [_read(_read_other, entry, account, at)]
    found = [
        _read(read, item, account, at)
        for place, read in _READERS
        if place in entry
        for item in as_list(entry[place])
    ]
    if "field" in entry:
        found.append(_read(read_change, entry, account, at))
    return found


def _read(read: _Reader, item: object, account: str, at: int) -> Event | None:
    try:
        return read(item, account, at)
    except RecursionError:  # nested just so deeply that it can be read but not written
        return None


def _read_other(entry: object, account: str, at: int) -> Event:
    """Return an entry that holds nothing we know."""
    has_names_only = isinstance(entry, dict) and "changed_fields" in entry
    return read_unknown("changed_fields" if has_names_only else "other", entry, account, at)
