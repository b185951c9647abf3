"""Events, which a webhook brings, and what follows from the kind of each."""

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


# What the person did and the worker has to look at: stored with what Meta sent.
ACTIONABLE = frozenset({Kind.MESSAGE, Kind.POSTBACK, Kind.UNSEND, Kind.EDIT})
# What somebody else said to the person: stored without it, as a sign of who answers.
OTHER_VOICES = frozenset({Kind.ECHO, Kind.STANDBY})
# These wait for the person's next message, whose context they are.
CONTEXT = frozenset({Kind.REFERRAL})
# All other kinds are counted and forgotten.
STORED = ACTIONABLE | OTHER_VOICES | CONTEXT

# These belong to a conversation, and are nothing without both its ends …
IN_CONVERSATION = ACTIONABLE | {Kind.ECHO, Kind.SELF}
# … and these are nothing without the message that they change.
ABOUT_MESSAGE = frozenset({Kind.UNSEND, Kind.EDIT})
# Of these there is one for a message: its id tells a repeat.
ONCE_PER_MESSAGE = frozenset(
    {Kind.MESSAGE, Kind.ECHO, Kind.SELF, Kind.UNSEND, Kind.EDIT_COMPANION, Kind.POSTBACK}
)


class Event(NamedTuple):
    """
    One thing that happened, as it is stored.

    *account* is the professional account's id, *contact* the person's (IGSID); either
    is empty when Meta does not say. *key* is the same for every delivery of the same
    event and tells nothing about it. *at* is Meta's time in UTC milliseconds, or the
    best there is in its place.

    *payload* is what Meta sent, as JSON that `content.read_content` reads, of actionable
    kinds and context; for all others nobody needs it, and it is empty. *label* names what it was in
    Meta's words, out of a bounded set: a metric may carry it.

    *echo_text* is set for echoes only: what the account said, which settles a piece whose
    outcome is unknown, or shows that a person answers. *echo_attachment* is the kind of what
    it said besides words, as `outgoing` has kinds. *echo_app* is the id of the app that
    said it, where Meta tells. *unsends* is the key of the message
    that an unsend takes back, *unsends_edits* are those of its edits.
    """

    account: str
    contact: str
    kind: Kind
    key: str
    mid: str | None
    at: int
    payload: str = ""
    label: str = "other"
    echo_text: str | None = None
    echo_app: str | None = None
    echo_attachment: str | None = None
    unsends: str | None = None
    unsends_edits: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return what it was and when, and nothing of what it says."""
        return f"Event({self.kind}, {self.account}, {self.contact}, {self.key}, {self.at})"


@dataclass(frozen=True, slots=True)
class Webhook:
    """The events of one post in its order; *unreadable* counts those that made no sense."""

    events: tuple[Event, ...]
    unreadable: int
