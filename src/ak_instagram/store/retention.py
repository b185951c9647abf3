"""What is settled is forgotten after a while, a bounded piece of work at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.util import ClauseAdapter

from .schema import SAYS_SOMETHING, conversations, events, outbox, transcript
from .values import EventStatus, PieceStatus

DAY = 86_400_000  # milliseconds
KEYS_LIVE = 7 * DAY  # Meta repeats an event for up to 36 hours
MOST = 500  # rows of a table in one transaction: webhooks wait for it too

_c = conversations.c
_before: BindParameter[int] = bindparam("before")
_CLOSED = [PieceStatus.SENT.value, PieceStatus.DROPPED.value, PieceStatus.DEAD.value]


def _oldest(table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """
    Return the condition for those of the oldest rows of *table* that fulfil *conditions*.

    Ids rise with time: an index by time would cost every message something.
    """
    oldest = select(table).order_by(table.c.id).limit(MOST).subquery()
    adapted = ClauseAdapter(oldest)
    wanted = [adapted.traverse(condition) for condition in conditions]
    return table.c.id.in_(select(oldest.c.id).where(*wanted))


_DELETE_EVENTS = delete(events).where(
    _oldest(events, events.c.received_at < _before, events.c.status != EventStatus.WAITING.value)
)
_WIPE_PAYLOADS = (
    update(events)
    .where(
        events.c.id.in_(
            select(events.c.id)
            .where(SAYS_SOMETHING, events.c.received_at < _before)
            .order_by(events.c.id)
            .limit(MOST)
        )
    )
    .values(payload=None)
)
_DELETE_PIECES = delete(outbox).where(
    _oldest(outbox, outbox.c.planned_at < _before, outbox.c.status.in_(_CLOSED))
)
_EXPIRE_PARKED = (
    update(outbox)
    .where(
        _oldest(outbox, outbox.c.planned_at < _before, outbox.c.status == PieceStatus.PARKED.value)
    )
    .values(status=PieceStatus.DROPPED.value, error="the person did not write again")
)
_DELETE_LINES = delete(transcript).where(_oldest(transcript, transcript.c.at < _before))
_IDLE = (
    select(_c.account, _c.contact)
    .where(
        _c.due_at.is_(None),
        _c.lease_owner.is_(None),
        _c.window_closes_at < _before,
        _c.paused_until < _before,
    )
    .limit(MOST)
)
_DELETE_CONVERSATIONS = delete(conversations).where(tuple_(_c.account, _c.contact).in_(_IDLE))


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows one piece of work has removed or wiped."""

    events: int = 0
    pieces: int = 0
    expired: int = 0
    lines: int = 0
    conversations: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(
            self.events + other.events,
            self.pieces + other.pieces,
            self.expired + other.expired,
            self.lines + other.lines,
            self.conversations + other.conversations,
        )

    @property
    def total(self) -> int:
        """All rows."""
        return self.events + self.pieces + self.expired + self.lines + self.conversations


def purge(connection: Connection, now: int, keep: int) -> Purged:
    """
    Forget some of what was settled more than *keep* milliseconds ago.

    The keys that make repeats harmless live for `KEYS_LIVE` at least; only what the
    events said goes before. Parked answers expire. Call it until nothing is left.
    """
    old = {"before": now - keep}
    oldest = {"before": now - max(keep, KEYS_LIVE)}
    wiped = connection.execute(_WIPE_PAYLOADS, old).rowcount if keep < KEYS_LIVE else 0
    return Purged(
        events=connection.execute(_DELETE_EVENTS, oldest).rowcount + wiped,
        expired=connection.execute(_EXPIRE_PARKED, old).rowcount,
        pieces=connection.execute(_DELETE_PIECES, old).rowcount,
        lines=connection.execute(_DELETE_LINES, old).rowcount,
        conversations=connection.execute(_DELETE_CONVERSATIONS, oldest).rowcount,
    )
