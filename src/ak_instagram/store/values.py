"""What goes into the store and what comes out of it; times are UTC milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

MAX_CLAIMS = 32  # in one transaction: webhooks wait for it too
CLOCK_SLACK = 1_800_000  # milliseconds that Meta's clock may be behind the store's
WINDOW = 86_400_000  # milliseconds after a person's last word in which Meta lets us answer


class EventStatus(StrEnum):
    """What became of an event."""

    WAITING = "waiting"  # for the worker
    COUNTED = "counted"  # nothing to do: kept as a dedupe key
    ANSWERED = "answered"
    IGNORED = "ignored"  # seen by the worker, no answer wanted: `reason` says why
    UNSENT = "unsent"  # the person took it back; its payload is wiped
    DEAD = "dead"  # a dead letter: `reason` says why


class PieceStatus(StrEnum):
    """
    Where a piece is in the send ledger.

    `SENDING` is written before the send, so a piece found in it by a new claim
    may or may not have arrived.
    """

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    PARKED = "parked"  # the 24 h window is closed: goes out when the person writes again
    DROPPED = "dropped"  # not wanted any more: `error` says why
    DEAD = "dead"


class WaitReason(StrEnum):
    """What a conversation waits for that is not its own fault: the wait uses up no try."""

    ACCOUNT = "account"  # blocked or resting as a whole; its healing ends the wait
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a `put` did: events that were new, and repeats of known ones."""

    fresh: int
    repeats: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """
    An event that waits for the worker; *payload* is what Meta sent, as JSON.

    *is_unsent* says that the person has taken the message back.
    """

    id: int
    kind: str
    mid: str | None
    at: int
    payload: str
    is_unsent: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """
    One message of an answer, marked as being sent.

    *message* is the Graph API's `message` object. *tries* counts this one.
    *is_doubtful* says that an earlier try may have arrived; *since* is when that
    try began. No try began before *planned_at*.
    """

    id: int
    turn: str
    seq: int
    message: Mapping[str, object]
    tries: int
    outcome_unknown: bool
    tried_at: int
    planned_at: int


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """A line of the transcript: who said what."""

    role: str
    text: str


class LeaseId(NamedTuple):
    """A claim in short: a conversation, and the fence under which it is held."""

    account: str
    contact: str
    fence: int


@dataclass(frozen=True, slots=True)
class Claim:
    """
    A conversation that is ours until its lease ends.

    Either *piece* is to be delivered next or *events*, in Meta's time order, are to
    be answered. *failures* counts the failures since the last progress. *epoch*
    numbers the agent's sessions with this person. *transcript* has the latest lines,
    oldest first, if lines are kept. *lease_until* is when it ends unless it is renewed.
    """

    account: str
    contact: str
    fence: int
    lease_until: int = 0
    failures: int = 0
    epoch: int = 0
    piece: Piece | None = None
    events: tuple[StoredEvent, ...] = ()
    transcript: tuple[TranscriptLine, ...] = ()

    @property
    def lease_id(self) -> LeaseId:
        """The claim in short."""
        return LeaseId(self.account, self.contact, self.fence)


@dataclass(frozen=True, slots=True)
class TurnResult:
    """
    How the events of a turn end, and what is sent because of them.

    *events* are ids by their end. *messages* are Graph `message` objects in order;
    none is silence. *lines* join the transcript. *hands_over* makes the bot silent
    afterwards, so that a person can answer.
    """

    turn: str
    events: Mapping[int, EventStatus]
    reason: str | None = None
    messages: tuple[Mapping[str, object], ...] = ()
    lines: tuple[TranscriptLine, ...] = ()
    hands_over: bool = False


class ConversationKey(Protocol):
    """Anything that belongs to a conversation: a row, a claim."""

    @property
    def account(self) -> str:
        """The professional account's id."""
        ...

    @property
    def contact(self) -> str:
        """The person's IGSID."""
        ...


class ClaimedRow(ConversationKey, Protocol):
    """A row of `conversations` that is ours until this transaction ends: it has the fence."""

    @property
    def fence(self) -> int:
        """The number of this claim; a later one has a higher."""
        ...

    @property
    def lease_until(self) -> int:
        """When the lease ends unless it is renewed."""
        ...

    @property
    def failures(self) -> int:
        """The failures since the last progress."""
        ...

    @property
    def epoch(self) -> int:
        """The number of the agent's session with this person."""
        ...

    @property
    def window_closes_at(self) -> int:
        """When Meta's 24 h window closes."""
        ...

    @property
    def paused_until(self) -> int:
        """Until when a person answers."""
        ...


class LeasedRow(ClaimedRow, Protocol):
    """What `lease_statements.HELD` finds: who holds the conversation, and when it is due."""

    @property
    def lease_owner(self) -> str | None:
        """The process run that holds it."""
        ...

    @property
    def due_at(self) -> int | None:
        """When there is work; `None` when there is none."""
        ...


def key_of(of: ConversationKey) -> dict[str, object]:
    """Return the parameters that name the conversation, for `conditions.of_conversation`."""
    return {"of_account": of.account, "of_contact": of.contact}
