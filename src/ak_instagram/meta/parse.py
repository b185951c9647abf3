"""
The body of a webhook, parsed into events.

Meta puts them in four places of an entry, leaves parts out, and adds new ones without
notice. So all that is JSON is taken: what is not understood is counted, and what can't
be read costs none of its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import TypeAlias

from ak_instagram import fast_json
from ak_instagram.errors import WebhookRejected

from .events import ABOUT_MESSAGE, ACTIONABLE, CONTEXT, IN_CONVERSATION, Event, Kind, Webhook
from .keys import content_key, dedup_key, edit_keys, messaging_key, mid_key
from .lenient import (
    FLAG_SET,
    JsonObject,
    as_id,
    as_list,
    as_millis,
    as_number,
    as_text,
    id_of,
)
from .outgoing import echoed_kind

# The members of which one says what an item of `messaging[]` is: those whose name is enough
# to tell …
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

# What the dashboard's "Test" button puts where ids belong.
_TEST_ACCOUNT = "0"
_TEST_SENDER = "12334"
_TEST_MID = "random_mid"

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


def parse_webhook(body: bytes, received: int) -> Webhook:
    """
    Return all events in *body*, in its order.

    *received* (UTC milliseconds) is the time of an event that has none, in itself or
    in its entry. Raises `WebhookRejected` for what is not JSON, and for nothing else.
    """
    try:
        loaded = fast_json.load(body)
    except ValueError as exc:
        raise WebhookRejected(400, f"the body is {exc}") from None
    found: list[Event | None] = []
    for envelope in [loaded] if isinstance(loaded, dict) else as_list(loaded):
        found += read_envelope(envelope, received)
    events = tuple(filter(None, found))
    return Webhook(events, unreadable=len(found) - len(events))


def read_envelope(envelope: object, received: int) -> list[Event | None]:
    """Return the events of one envelope, `None` for each that can't be read."""
    if not isinstance(envelope, dict):
        return [None]
    found: list[Event | None] = []
    # The dashboard's test may send what belongs into an entry without one.
    entries = as_list(envelope["entry"]) if "entry" in envelope else [envelope]
    is_ours = envelope.get("object") in (None, "instagram")
    for entry in entries:
        if not isinstance(entry, dict):
            found.append(None)
            continue
        account, at = as_id(entry.get("id")) or "", as_millis(entry.get("time")) or received
        for read, item in items_in(entry) if is_ours else [(read_other, entry)]:
            try:
                found.append(read(item, account, at))
            except RecursionError:  # nested just so deeply that it can be read but not written
                found.append(None)
    return found


Reader: TypeAlias = Callable[[object, str, int], Event | None]


def items_in(entry: JsonObject) -> list[tuple[Reader, object]]:
    """Return what *entry* holds: items of its lists, itself as a change; each with its reader."""
    found: list[tuple[Reader, object]] = []
    is_known = False
    for place, read in _READERS:
        if place in entry:
            is_known = True
            listed = entry[place]
            found += zip(repeat(read), listed if isinstance(listed, list) else as_list(listed))
    if "field" in entry:
        found.append((read_change, entry))
    elif not is_known:
        found.append((read_other, entry))
    return found


def read_messaging(
    item: object, account: str, at: int, *, is_standby: bool = False
) -> Event | None:
    """
    Return what *item*, of `messaging[]` or `standby[]`, says, or `None` if it can't be told.

    *account* (empty if unknown) and *at* (UTC ms) are those of the entry that it came in.
    """
    if not isinstance(item, dict):
        return None
    label, member = member_in(item)
    if not isinstance(member, dict):
        return None
    sender, recipient = id_of(item.get("sender")), id_of(item.get("recipient"))
    mid, is_echo = as_id(member.get("mid")), member.get("is_echo") in FLAG_SET
    at = as_millis(item.get("timestamp")) or at
    account = account or (sender if is_echo else recipient) or ""
    by_account = is_echo or sender == account
    contact = (recipient if by_account else sender) or ""
    if is_standby:
        kind = Kind.STANDBY
    elif account == _TEST_ACCOUNT or sender == _TEST_SENDER or mid == _TEST_MID:
        kind = Kind.TEST
    else:
        kind = kind_of(label, member, item, by_account=by_account)
    lacks_an_end = kind in IN_CONVERSATION and not (account and contact)
    if lacks_an_end or (mid is None and kind in ABOUT_MESSAGE):
        return None
    unsent = mid if kind is Kind.UNSEND else None
    return Event(
        account,
        contact,
        kind,
        messaging_key(kind, account, sender, mid, item),
        mid,
        at,
        payload=fast_json.dump(item).decode() if kind in ACTIONABLE or kind in CONTEXT else "",
        label=label,
        echo_text=as_text(member.get("text")) or "" if kind is Kind.ECHO else None,
        echo_app=as_id(member.get("app_id")) if kind is Kind.ECHO else None,
        echo_attachment=echoed_kind(member) if kind is Kind.ECHO else None,
        unsends=mid_key(Kind.MESSAGE, account, unsent) if unsent else None,
        unsends_edits=edit_keys(account, unsent) if unsent else (),
    )


def member_in(item: JsonObject) -> tuple[str, object]:
    """Return the name and the value of the member that says what *item* is."""
    for name in _MEMBERS:
        value = item.get(name)
        if value is not None:
            return name, value
    return "other", {}


def kind_of(label: str, member: JsonObject, item: JsonObject, *, by_account: bool) -> Kind:
    """Return the kind of *item*, which *member* says, the one called *label*."""
    if kind := _TOLD_BY_NAME.get(label):
        return kind
    if label == "message_edit":
        count = as_number(member.get("num_edit"))
        is_companion = not member.get("text") if count is None else count < 1
        return Kind.EDIT_COMPANION if is_companion else Kind.EDIT
    if label == "message" and member.get("is_deleted") in FLAG_SET:
        # First of all: what the account takes back is an echo as well.
        return Kind.UNSEND
    is_self = member.get("is_self") in FLAG_SET or item.get("is_self") in FLAG_SET
    match label:
        case "message" if is_self:
            return Kind.SELF
        case "message":
            return Kind.ECHO if by_account else Kind.MESSAGE
        case "postback":
            return Kind.SELF if by_account or is_self else Kind.POSTBACK
    return Kind.UNKNOWN


def read_change(change: object, account: str, at: int) -> Event | None:
    """Return what *change*, of `changes[]`, says, or `None` if it can't be told."""
    if not isinstance(change, dict):
        return None
    field, value = as_text(change.get("field")) or "", change.get("value")
    if field in _MESSAGING_FIELDS:
        return read_messaging(value, account, at)
    if field == "standby":
        return read_messaging(value, account, at, is_standby=True)
    if field in _COMMENT_FIELDS:
        return read_comment(field, value, account, at)
    return count_unknown(field, {"field": field, "value": value}, account, at)


def read_comment(field: str, value: object, account: str, at: int) -> Event | None:
    """Return the comment *value*, or `None` if it is none."""
    if not isinstance(value, dict):
        return None
    kind = Kind.TEST if account == _TEST_ACCOUNT else Kind.COMMENT
    comment = as_id(value.get("id")) or as_id(value.get("comment_id"))
    if comment:
        key = dedup_key(kind, account, field, comment)
    else:
        key = content_key(kind, account, {"field": field, "value": value})
    author, at = id_of(value.get("from")) or "", as_millis(value.get("timestamp")) or at
    return Event(account, author, kind, key, None, at, label=field)


def read_other(entry: object, account: str, at: int) -> Event:
    """Return an entry that holds nothing we know, or is none of Instagram's."""
    has_names_only = isinstance(entry, dict) and "changed_fields" in entry
    return count_unknown("changed_fields" if has_names_only else "other", entry, account, at)


def count_unknown(label: str, value: object, account: str, at: int) -> Event:
    """Return *value* as something to be counted; an unheard-of *label* becomes `other`."""
    kind = Kind.TEST if account == _TEST_ACCOUNT else Kind.UNKNOWN
    key = content_key(kind, account, value)
    return Event(
        account, "", kind, key, None, at, label=label if label in _OTHER_FIELDS else "other"
    )


# The lists in which an entry has its events.
_READERS: tuple[tuple[str, Reader], ...] = (
    ("messaging", read_messaging),
    ("standby", partial(read_messaging, is_standby=True)),
    ("changes", read_change),
)
