"""What a webhook can bring."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What happened, as far as it makes a difference to the service."""

    MESSAGE = "message"
    POSTBACK = "postback"  # a tap on a button, an ice breaker or the menu
    ECHO = "echo"  # the account said something: through us, or a person in the app
    SELF = "self"  # the account wrote to itself, or tapped its own button
    UNSEND = "unsend"
    EDIT = "edit"
    # Meta sends `message_edit` with `num_edit` 0 along with new messages: no edit at all.
    EDIT_COMPANION = "edit_companion"
    REACTION = "reaction"
    READ = "read"
    REFERRAL = "referral"
    OPTIN = "optin"
    HANDOVER = "handover"
    STANDBY = "standby"  # a copy of what another app answers
    COMMENT = "comment"
    TEST = "test"  # the App Dashboard's "Test" button
    UNKNOWN = "unknown"


class Event(NamedTuple):
    """
    One thing that happened.

    *account* is the professional account's id, *contact* the person's (IGSID); either
    is empty when Meta does not say. *key* is the same for every delivery of the same
    event and tells nothing about it. *at* is Meta's time in UTC milliseconds, or the
    best there is in its place. *payload* is what Meta sent, as JSON;
    `read_content` reads it. *label* names what it was in Meta's words, out of a
    bounded set: a metric may carry it.
    """

    kind: Kind
    account: str
    contact: str
    key: str
    at: int
    mid: str | None
    payload: str
    label: str

    def __repr__(self) -> str:
        """Return what it was and when, and nothing of what it says."""
        return f"Event({self.kind}, {self.account}, {self.contact}, {self.key}, {self.at})"


@dataclass(frozen=True, slots=True)
class Webhook:
    """The events of one post in its order; *unreadable* counts those that made no sense."""

    events: tuple[Event, ...]
    unreadable: int
