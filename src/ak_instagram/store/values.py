"""Values that go into the store and come out of it; times are UTC milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from ak_instagram.meta.outgoing import Outgoing

ALL_ACCOUNTS = "*"  # in place of an account's id
MAX_CLAIMS = 32  # in one transaction: webhooks wait for it too
CLOCK_SLACK = 1_800_000  # milliseconds that Meta's clock may be behind the store's
WINDOW = 86_400_000  # milliseconds after a person's last word in which Meta lets us answer
AD_WINDOW = 7 * WINDOW  # the same after the first word of somebody who came by an ad
PERSON_WINDOW = 7 * WINDOW  # the same for what a person writes, not the bot


class EventStatus(StrEnum):
    """An event's state."""

    WAITING = "waiting"  # for the worker
    COUNTED = "counted"  # nothing to do: kept as a dedupe key
    ANSWERED = "answered"
    IGNORED = "ignored"  # seen by the worker, no answer wanted: `reason` says why
    UNSENT = "unsent"  # the person took it back; its payload is wiped
    DEAD = "dead"  # a dead letter: `reason` says why


class Silencer(StrEnum):
    """Who made the bot fall silent in a conversation."""

    PERSON = "person"  # who answers from the Instagram app
    APP = "app"  # another one answers
    HANDOFF = "agent"  # it asked for a person, or the person did
    COMMAND = "command"  # `pause`
    OPT_OUT = "opt_out"  # the person who writes, who wants no answers

    @property
    def reason(self) -> str:
        """Why the bot is silent, in the log's words."""
        return _SILENCES[self]


_SILENCES = {
    Silencer.PERSON: "a person answers",
    Silencer.APP: "another app answers",
    Silencer.HANDOFF: "a person was asked for",
    Silencer.COMMAND: "paused by command",
    Silencer.OPT_OUT: "the person does not want to be answered",
}


class PieceStatus(StrEnum):
    """
    A piece's state in the outbox.

    `SENDING` is written before the send, so a piece found in it by a new claim
    may or may not have arrived.
    """

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    PARKED = "parked"  # the 24 h window is closed: goes out when the person writes again
    DROPPED = "dropped"  # not wanted any more: `error` says why
    DEAD = "dead"


class PieceKind(StrEnum):
    """A piece's kind, if it is none of an answer's own."""

    DISCLOSURE = "disclosure"  # tells the person that a machine answers
    BY_PERSON = "by_person"  # written by one of the account's staff


class CallbackStatus(StrEnum):
    """The state of a turn whose answer an agent posts."""

    AWAITED = "awaited"
    ANSWERED = "answered"
    GONE = "gone"  # nobody waits for it: taken back, given up, or a person answers


class WaitReason(StrEnum):
    """A wait that is not the conversation's own fault, and so uses up no attempt."""

    ACCOUNT = "account"  # blocked or resting as a whole; its healing ends the wait
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """
    An event that waits for the worker; *payload* is what Meta sent, as JSON.

    *is_unsent* says that the person has taken the message back. *turn* is the one in which it
    was given up before a replay.
    """

    id: int
    kind: str
    mid: str | None
    at: int
    payload: str
    is_unsent: bool = False
    turn: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """
    One message of an answer, marked as being sent.

    *is_tagged*: a person wrote it, and it goes out after the window has closed for the bot.
    *message* is one as `meta.outgoing` has them. *attempt* is the number of this one,
    from 1 on. With an *outcome_unknown* the latest of them, which began at *tried_at*, may
    have arrived; *is_over* says that somebody saw it end. None began before *planned_at*.
    """

    id: int
    turn: str
    seq: int
    message: Outgoing
    attempt: int
    outcome_unknown: bool
    tried_at: int
    planned_at: int
    is_over: bool = False
    is_tagged: bool = False


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """A line of the transcript; *role* is `user` or `assistant`."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class AwaitedAnswer:
    """
    An answer that the agent posts when it has one: to the turn of so many *events* (their ids).

    *until* is when it is overdue in UTC ms, `None` while nobody has taken the turn. *body* is
    what was posted.
    """

    turn: str
    events: frozenset[int]
    until: int | None = None
    body: str | None = field(default=None, repr=False)


class LeaseId(NamedTuple):
    """A lease's identity: its conversation, and the fence under which that is held."""

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
    oldest first, if lines are kept. *quotes* are the texts of messages that the events
    quote, by their mids, as far as they are known. *referral* is what led the person back,
    as Meta sent it (JSON), if that came by itself since the last turn. *lease_until* is when
    it ends unless it is renewed. *awaited* is the answer to the events, if the agent posts it.
    While an answer *is_writing* there may be neither piece nor events.
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
    quotes: Mapping[str, str] = field(default_factory=dict)
    referral: str | None = None
    awaited: AwaitedAnswer | None = None
    is_writing: bool = False

    @property
    def lease_id(self) -> LeaseId:
        """The claim in short."""
        return LeaseId(self.account, self.contact, self.fence)


@dataclass(frozen=True, slots=True)
class FailedCall:
    """
    A call that did not work, as the trail keeps it.

    *what* is `agent`, `send` or `look_up`; it was the *attempt* of that number and took *ms*
    milliseconds. *outcome* is its class, *code*, *subcode* and *request_id* are the other
    side's, if it named any.
    """

    what: Literal["agent", "send", "look_up"]
    attempt: int
    ms: int
    outcome: str
    reason: str
    code: int | None = None
    subcode: int | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class TurnResult:
    """
    The result of a turn: how its events end, and what is sent because of them.

    *events* are ids by their end. *messages* are in order, as `meta.outgoing` has
    them; none is silence. *lines* join the transcript. *hands_over* makes the bot silent
    afterwards, so that a person can answer, for the reason *handoff* if one was given.
    *starts_over* begins a new session. *failed* is the agent's call that ended it.

    An answer may be told in several results, all but the last with *goes_on*; *first* is the
    number of messages before this one's.
    """

    turn: str
    events: Mapping[int, EventStatus]
    reason: str | None = None
    messages: tuple[Outgoing, ...] = ()
    lines: tuple[TranscriptLine, ...] = ()
    hands_over: bool = False
    handoff: str = ""
    starts_over: bool = False
    first: int = 0
    goes_on: bool = False
    failed: FailedCall | None = None
