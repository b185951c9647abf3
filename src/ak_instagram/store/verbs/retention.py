"""Retention: what is settled is forgotten in time, a bounded piece of work at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    TextClause,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_WAITING,
    SAYS_SOMETHING,
    conversations,
    events,
    operations,
    outbox,
    trail,
    transcript,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import EventStatus, PieceStatus

from . import callbacks

DAY = 86_400_000  # milliseconds
KEYS_LIVE = 7 * DAY  # Meta repeats an event for up to 36 hours
OPERATIONS_LIVE = 90 * DAY  # of the operator log, or longer if messages live longer
MAX_ROWS = 500  # of a table in one transaction: webhooks wait for it too
_NO_ROW = 2**63 - 1  # an id above all

_c = conversations.c
_before: BindParameter[int] = bindparam("before")
_is_closed = or_(
    *(
        outbox.c.status == status.value
        for status in (PieceStatus.SENT, PieceStatus.DROPPED, PieceStatus.DEAD)
    )
)


def _oldest(
    time: Column[int],
    *conditions: ColumnElement[bool],
    among: Sequence[ColumnElement[bool] | TextClause] = (),
) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """
    Return the conditions of the oldest rows that meet *conditions* and whose *time* is past.

    Ids rise with time, so only rows below the first young one are looked at: an index by
    time would slow every message down. A row that has to stay, however old, does not
    hold others back. *among* is the condition of a partial index of
    ids, outside which no row is looked at.
    """
    table = time.table
    rows = table.alias()
    young = select(rows.c.id).where(*among, rows.c[time.name] >= _before)
    youngest = young.order_by(rows.c.id).limit(1).scalar_subquery()
    old = (
        select(table.c.id)
        .where(table.c.id < func.coalesce(youngest, _NO_ROW), *among, *conditions)
        .order_by(table.c.id)
        .limit(MAX_ROWS)
    )
    return table.c.id.in_(old), *among, *conditions


# Every condition is there twice: which rows it is, and again of each row. PostgreSQL waits
# for a row that another transaction has, and then looks at the outer conditions alone.
_DELETE_EVENTS = Statement(
    delete(events).where(
        *_oldest(events.c.received_at, events.c.status != EventStatus.WAITING.value)
    )
)
_WIPE_PAYLOADS = Statement(
    update(events)
    .where(*_oldest(events.c.received_at, among=[SAYS_SOMETHING]))
    .values(payload=None)
)
_DELETE_PIECES = Statement(
    delete(outbox).where(
        *_oldest(
            outbox.c.planned_at,
            _is_closed,
            # The echo of one that was sent late is still to be known as ours.
            outbox.c.changed_at < _before,
        )
    )
)
_EXPIRE_PARKED = Statement(
    update(outbox)
    .where(*_oldest(outbox.c.planned_at, outbox.c.status == PieceStatus.PARKED.value))
    .values(status=PieceStatus.DROPPED.value, error="the person did not write again")
)
# What waits for nobody's try was said when the window had closed.
_is_parked = (
    IS_WAITING,
    events.c.received_at < _before,
    ~exists().where(
        _c.account == events.c.account,
        _c.contact == events.c.contact,
        or_(_c.due_at.is_not(None), _c.lease_owner.is_not(None)),
    ),
)
_EXPIRE_EVENTS = Statement(
    update(events)
    .where(events.c.id.in_(select(events.c.id).where(*_is_parked).limit(MAX_ROWS)), *_is_parked)
    .values(status=EventStatus.IGNORED.value, payload=None, reason="the person did not write again")
)
_DELETE_LINES = Statement(delete(transcript).where(*_oldest(transcript.c.at)))
_DELETE_TRAIL = Statement(delete(trail).where(*_oldest(trail.c.at)))
_DELETE_OPERATIONS = Statement(delete(operations).where(*_oldest(operations.c.at)))
_is_idle = (
    _c.due_at.is_(None),
    _c.lease_owner.is_(None),
    _c.window_closes_at < _before,
    _c.paused_until < _before,
    _c.referral_at < _before,
)
_idle = select(_c.account, _c.contact).where(*_is_idle).limit(MAX_ROWS)
_DELETE_CONVERSATIONS = Statement(
    delete(conversations).where(tuple_(_c.account, _c.contact).in_(_idle), *_is_idle)
)


@dataclass(frozen=True, slots=True)
class Purged:
    """
    Numbers of rows that one piece of work has removed or wiped.

    *lines* are those of transcript, trail and operator log.
    """

    events: int = 0
    pieces: int = 0
    expired: int = 0
    lines: int = 0
    conversations: int = 0
    callbacks: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(
            self.events + other.events,
            self.pieces + other.pieces,
            self.expired + other.expired,
            self.lines + other.lines,
            self.conversations + other.conversations,
            self.callbacks + other.callbacks,
        )

    @property
    def total(self) -> int:
        """All rows."""
        settled = self.events + self.pieces + self.expired + self.lines
        return settled + self.conversations + self.callbacks


def purge(tx: Tx, keep_ms: int) -> Purged:
    """
    Forget some of what was settled more than *keep_ms* ago; return how many rows that was.

    None means that nothing was left. The keys that make repeats harmless live for
    `KEYS_LIVE` at least; only what the events said goes before. Parked answers expire, and so
    does what waits to be part of a turn.
    """
    old, oldest = tx.now - keep_ms, tx.now - max(keep_ms, KEYS_LIVE)
    wiped = _WIPE_PAYLOADS.run(tx, before=old) if keep_ms < KEYS_LIVE else 0
    return Purged(
        events=_DELETE_EVENTS.run(tx, before=oldest) + wiped,
        expired=_EXPIRE_PARKED.run(tx, before=old) + _EXPIRE_EVENTS.run(tx, before=old),
        pieces=_DELETE_PIECES.run(tx, before=old),
        lines=_DELETE_LINES.run(tx, before=old)
        + _DELETE_TRAIL.run(tx, before=old)
        + _DELETE_OPERATIONS.run(tx, before=tx.now - max(keep_ms, OPERATIONS_LIVE)),
        conversations=_DELETE_CONVERSATIONS.run(tx, before=oldest),
        callbacks=callbacks.forget(tx, old),
    )
