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

from .schema import conversations, events, outbox, transcript
from .values import EventStatus, PieceStatus

DAY = 86_400_000  # milliseconds
KEYS_LIVE = 7 * DAY  # Meta repeats an event for up to 36 hours
MOST = 500  # rows of a table in one transaction: webhooks wait for it too

_e, _o, _t, _c = events.c, outbox.c, transcript.c, conversations.c
_before: BindParameter[int] = bindparam("before")


def _oldest(table: Table, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition for some rows of *table* that fulfil *condition*."""
    return table.c.id.in_(select(table.c.id).where(condition).limit(MOST))


_settled = _e.status != EventStatus.WAITING.value
_DELETE_EVENTS = delete(events).where(_oldest(events, (_e.received_at < _before) & _settled))
_WIPE_PAYLOADS = (
    update(events)
    .where(_oldest(events, (_e.received_at < _before) & _settled & _e.payload.is_not(None)))
    .values(payload=None)
)
_closed = _o.status.in_([PieceStatus.SENT.value, PieceStatus.DROPPED.value, PieceStatus.DEAD.value])
_DELETE_PIECES = delete(outbox).where(_oldest(outbox, (_o.planned_at < _before) & _closed))
_EXPIRE_PARKED = (
    update(outbox)
    .where(_oldest(outbox, (_o.planned_at < _before) & (_o.status == PieceStatus.PARKED.value)))
    .values(status=PieceStatus.DROPPED.value, error="the person did not write again")
)
_DELETE_LINES = delete(transcript).where(_oldest(transcript, _t.at < _before))
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
