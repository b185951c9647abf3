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

from .events import Event, Kind, Webhook
from .keys import content_key, dedup_key, messaging_key
from .lenient import JsonObject, as_flag, as_id, as_list, as_millis, as_number, as_object, as_text

# The members of which one says what an item is: those whose name is enough to tell …
_TOLD_BY_NAME = {
    "reaction": Kind.REACTION,
    "read": Kind.READ,
    "referral": Kind.REFERRAL,
    "optin": Kind.OPTIN,
    "pass_thread_control": Kind.HANDOVER,
    "take_thread_control": Kind.HANDOVER,
    "request_thread_control": Kind.HANDOVER,
    "app_roles": Kind.HANDOVER,
}
# … and those that have to be looked into as well.
_MEMBERS = ("message", "postback", "message_edit", *_TOLD_BY_NAME)

# These belong to a conversation and are nothing without both its ends.
_IN_CONVERSATION = frozenset(
    {Kind.MESSAGE, Kind.POSTBACK, Kind.ECHO, Kind.SELF, Kind.UNSEND, Kind.EDIT}
)
# These are nothing without the message that they change.
_ABOUT_MESSAGE = frozenset({Kind.UNSEND, Kind.EDIT})

# What the dashboard's "Test" button puts where ids belong.
TEST_ACCOUNT = "0"
_TEST_SENDER = "12334"
_TEST_MID = "random_mid"


def read_messaging(item: object, account: str, at: int) -> Event | None:
    """
    Return what *item* says, or `None` if it can't be told.

    *account* (empty if unknown) and *at* are those of the entry that it came in.
    """
    return _read(item, account, at, standby=False)


def read_standby(item: object, account: str, at: int) -> Event | None:
    """Return *item* as a copy of what another app answers, or `None`."""
    return _read(item, account, at, standby=True)


def _read(item: object, account: str, at: int, *, standby: bool) -> Event | None:
    if not isinstance(item, dict):
        return None
    label, member = _member(item)
    if not isinstance(member, dict):
        return None
    sender, recipient = _party(item, "sender"), _party(item, "recipient")
    mid = as_id(member.get("mid"))
    is_echo = as_flag(member.get("is_echo"))
    account = account or (sender if is_echo else recipient) or ""
    by_account = is_echo or sender == account
    contact = (recipient if by_account else sender) or ""
    if standby:
        kind = Kind.STANDBY
    elif account == TEST_ACCOUNT or sender == _TEST_SENDER or mid == _TEST_MID:
        kind = Kind.TEST
    else:
        kind = _kind(label, member, item, by_account)
    if not _is_complete(kind, account, contact, mid):
        return None
    key = messaging_key(kind, account, sender, mid, item)
    at = as_millis(item.get("timestamp")) or at
    return Event(kind, account, contact, key, at, mid, fast_json.dump(item).decode(), label)


def _member(item: JsonObject) -> tuple[str, object]:
    """Return the name and the value of the member that says what *item* is."""
    for name in _MEMBERS:
        value = item.get(name)
        if value is not None:
            return name, value
    return "other", {}


def _party(item: JsonObject, role: str) -> str | None:
    return as_id(as_object(item.get(role)).get("id"))


def _kind(label: str, member: JsonObject, item: JsonObject, by_account: bool) -> Kind:
    match label:
        case "message":
            return _kind_of_message(member, item, by_account)
        case "postback":
            return Kind.SELF if by_account or _is_self(member, item) else Kind.POSTBACK
        case "message_edit":
            return Kind.EDIT_COMPANION if _is_companion(member) else Kind.EDIT
        case _:
            return _TOLD_BY_NAME.get(label, Kind.UNKNOWN)


def _kind_of_message(message: JsonObject, item: JsonObject, by_account: bool) -> Kind:
    # The order matters: what the account takes back or tells itself is an echo as well.
    if as_flag(message.get("is_deleted")):
        return Kind.UNSEND
    if _is_self(message, item):
        return Kind.SELF
    return Kind.ECHO if by_account else Kind.MESSAGE


def _is_self(member: JsonObject, item: JsonObject) -> bool:
    """Return whether *item* is marked as the account's own, in either of Meta's places."""
    return as_flag(member.get("is_self")) or as_flag(item.get("is_self"))


def _is_companion(edit: JsonObject) -> bool:
    """Return whether nothing was edited: `num_edit` is 0, or there is neither count nor text."""
    count = as_number(edit.get("num_edit"))
    return not edit.get("text") if count is None else count < 1


def _is_complete(kind: Kind, account: str, contact: str, mid: str | None) -> bool:
    """Return whether an event has the ids without which its kind means nothing."""
    if kind in _ABOUT_MESSAGE and mid is None:
        return False
    return kind not in _IN_CONVERSATION or bool(account and contact)


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
    kind = _or_test(Kind.UNKNOWN, account)
    key = content_key(kind, account, value)
    known = label if label in _OTHER_FIELDS else "other"
    return Event(kind, account, "", key, at, None, fast_json.dump(value).decode(), known)


def _read_comment(field: str, value: object, account: str, at: int) -> Event | None:
    if not isinstance(value, dict):
        return None
    kind, change = _or_test(Kind.COMMENT, account), {"field": field, "value": value}
    author = as_id(as_object(value.get("from")).get("id")) or ""
    comment = as_id(value.get("id")) or as_id(value.get("comment_id"))
    key = (
        dedup_key(kind, account, field, comment) if comment else content_key(kind, account, change)
    )
    at = as_millis(value.get("timestamp")) or at
    return Event(kind, account, author, key, at, None, fast_json.dump(change).decode(), field)


def _or_test(kind: Kind, account: str) -> Kind:
    """Return *kind*, unless it is all a test."""
    return Kind.TEST if account == TEST_ACCOUNT else kind


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
        return [_read_item(_read_other, entry, account, at)]
    found = [
        _read_item(read, item, account, at)
        for place, read in _READERS
        if place in entry
        for item in as_list(entry[place])
    ]
    if "field" in entry:
        found.append(_read_item(read_change, entry, account, at))
    return found


def _read_item(read: _Reader, item: object, account: str, at: int) -> Event | None:
    try:
        return read(item, account, at)
    except RecursionError:  # nested just so deeply that it can be read but not written
        return None


def _read_other(entry: object, account: str, at: int) -> Event:
    """Return an entry that holds nothing we know."""
    has_names_only = isinstance(entry, dict) and "changed_fields" in entry
    return read_unknown("changed_fields" if has_names_only else "other", entry, account, at)
