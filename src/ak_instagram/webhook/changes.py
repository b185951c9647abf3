"""Read an item of `changes[]`, or anything else that has a `field` and a `value`."""

from __future__ import annotations

from ak_instagram import fast_json

from .events import Event, Kind
from .keys import content_key, dedup_key
from .loose import as_id, as_millis, as_object, as_text
from .messaging import TEST_ACCOUNT, read_messaging, read_standby

_COMMENT_FIELDS = frozenset({"comments", "live_comments"})

# Under these, `value` is what an item of `messaging[]` would be.
_MESSAGING_FIELDS = frozenset(
    {
        "messages",
        "message_echoes",
        "message_edit",
        "message_reactions",
        "messaging_handover",
        "messaging_optins",
        "messaging_postbacks",
        "messaging_referral",
        "messaging_seen",
    }
)

# Fields that Meta may send and that mean nothing here: named, so that a metric can tell them.
_OTHER_FIELDS = frozenset(
    {
        "changed_fields",
        "comment_poll_response",
        "follow",
        "mentions",
        "onboarding_welcome_message_series",
        "share_to_story",
        "story_insights",
        "story_poll_response",
    }
)


def read_change(change: object, account: str, at: int) -> Event | None:
    """Return what *change* says, or `None` if it can't be told."""
    if not isinstance(change, dict):
        return None
    field, value = as_text(change.get("field")) or "", change.get("value")
    if field in _MESSAGING_FIELDS:
        return read_messaging(value, account, at)
    if field == "standby":
        return read_standby(value, account, at)
    if field in _COMMENT_FIELDS:
        return _read_comment(field, value, account, at)
    return read_unknown(field, {"field": field, "value": value}, account, at)


def read_unknown(label: str, value: object, account: str, at: int) -> Event:
    """Return *value* as something to be counted; an unheard-of *label* becomes `other`."""
    kind = _kind(Kind.UNKNOWN, account)
    key = content_key(kind, account, value)
    known = label if label in _OTHER_FIELDS else "other"
    return Event(kind, account, "", key, at, None, fast_json.dump(value).decode(), known)


def _read_comment(field: str, value: object, account: str, at: int) -> Event | None:
    if not isinstance(value, dict):
        return None
    kind, change = _kind(Kind.COMMENT, account), {"field": field, "value": value}
    author = as_id(as_object(value.get("from")).get("id")) or ""
    comment = as_id(value.get("id")) or as_id(value.get("comment_id"))
    key = (
        dedup_key(kind, account, field, comment) if comment else content_key(kind, account, change)
    )
    at = as_millis(value.get("timestamp")) or at
    return Event(kind, account, author, key, at, None, fast_json.dump(change).decode(), field)


def _kind(kind: Kind, account: str) -> Kind:
    """Return *kind*, unless it is all a test."""
    return Kind.TEST if account == TEST_ACCOUNT else kind
