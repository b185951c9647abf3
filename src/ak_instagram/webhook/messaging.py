"""Read an item of `messaging[]` or `standby[]`: who did what to which message."""

from __future__ import annotations

from ak_instagram import fast_json

from .events import Event, Kind
from .keys import messaging_key
from .loose import JsonObject, as_flag, as_id, as_millis, as_number, as_object

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
