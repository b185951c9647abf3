"""Retention: what is settled is forgotten in time, a bounded piece of work at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

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
    profiles,
    trail,
    transcript,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import EventStatus, PieceKind, PieceStatus

from . import callbacks
from .disclosure import untell
from .people import deletions

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
def _delete_events(*which: ColumnElement[bool]) -> Statement:
    is_settled = events.c.status != EventStatus.WAITING.value
    return Statement(delete(events).where(*_oldest(events.c.received_at, is_settled, *which)))


def _wipe_payloads(*which: ColumnElement[bool]) -> Statement:
    oldest = _oldest(events.c.received_at, *which, among=[SAYS_SOMETHING])
    return Statement(update(events).where(*oldest).values(payload=None))


def _delete_pieces(*which: ColumnElement[bool]) -> Statement:
    # The echo of one that was sent late is still to be known as ours.
    is_quiet = outbox.c.changed_at < _before
    oldest = _oldest(outbox.c.planned_at, _is_closed, is_quiet, *which)
    return Statement(delete(outbox).where(*oldest))


_DELETE_EVENTS = _delete_events()
_WIPE_PAYLOADS = _wipe_payloads()
_DELETE_PIECES = _delete_pieces()
# Where dead letters have a time of their own: theirs, and those of all others.
_is_dead_event = events.c.status == EventStatus.DEAD.value
_is_dead_piece = outbox.c.status == PieceStatus.DEAD.value
_DELETE_DEAD_EVENTS = _delete_events(_is_dead_event)
_WIPE_DEAD_PAYLOADS = _wipe_payloads(_is_dead_event)
_DELETE_DEAD_PIECES = _delete_pieces(_is_dead_piece)
_DELETE_OTHER_EVENTS = _delete_events(~_is_dead_event)
_WIPE_OTHER_PAYLOADS = _wipe_payloads(~_is_dead_event)
_DELETE_OTHER_PIECES = _delete_pieces(~_is_dead_piece)
_EXPIRE_PARKED = Statement(
    update(outbox)
    .where(*_oldest(outbox.c.planned_at, outbox.c.status == PieceStatus.PARKED.value))
    .values(status=PieceStatus.DROPPED.value, error="the person did not write again")
    .returning(outbox.c.account, outbox.c.contact, outbox.c.kind)
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
_DELETE_PROFILES = Statement(
    delete(profiles).where(
        tuple_(profiles.c.account, profiles.c.contact).in_(
            select(profiles.c.account, profiles.c.contact)
            .where(profiles.c.asked_at < _before)
            .limit(MAX_ROWS)
        ),
        profiles.c.asked_at < _before,
    )
)
_DELETE_TRAIL = Statement(delete(trail).where(*_oldest(trail.c.at)))
_DELETE_OPERATIONS = Statement(delete(operations).where(*_oldest(operations.c.at)))
_is_idle = (
    _c.due_at.is_(None),
    _c.lease_owner.is_(None),
    _c.window_closes_at < _before,
    _c.paused_until < _before,
    _c.referral_at < _before,
    _c.spoke_at < bindparam("spoke_before"),
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
    profiles: int = 0
    deletions: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(
            self.events + other.events,
            self.pieces + other.pieces,
            self.expired + other.expired,
            self.lines + other.lines,
            self.conversations + other.conversations,
            self.callbacks + other.callbacks,
            self.profiles + other.profiles,
            self.deletions + other.deletions,
        )

    @property
    def total(self) -> int:
        """All rows."""
        return sum(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True, slots=True)
class Kinds:
    """How long single kinds of data are kept, in milliseconds; `None` is as long as all others."""

    messages: int | None = None
    answers: int | None = None
    transcript: int | None = None
    dead_letters: int | None = None


_ALIKE = Kinds()


def purge(tx: Tx, keep_ms: int, kinds: Kinds = _ALIKE) -> Purged:
    """
    Forget some of what was settled more than *keep_ms* ago; return how many rows that was.

    None means that nothing was left. *kinds* have times of their own. The keys that make repeats
    harmless live for `KEYS_LIVE` at least; only what the events said goes before. Parked answers
    expire, and so does what waits to be part of a turn.
    """
    messages, answers, lines = (
        keep_ms if each is None else each
        for each in (kinds.messages, kinds.answers, kinds.transcript)
    )
    dead = kinds.dead_letters
    events_, payloads, pieces = (
        (_DELETE_EVENTS, _WIPE_PAYLOADS, _DELETE_PIECES)
        if dead is None
        else (_DELETE_OTHER_EVENTS, _WIPE_OTHER_PAYLOADS, _DELETE_OTHER_PIECES)
    )
    oldest = tx.now - max(keep_ms, KEYS_LIVE)
    spoke_before = min(oldest, tx.now - tx.worker.disclosure_gap_ms)
    expired = _EXPIRE_PARKED.rows(tx, before=tx.now - answers)
    untell(tx, (row[:2] for row in expired if row[2] == PieceKind.DISCLOSURE))
    purged = Purged(
        events=_forget_events(tx, events_, payloads, messages),
        expired=len(expired) + _EXPIRE_EVENTS.run(tx, before=tx.now - keep_ms),
        pieces=pieces.run(tx, before=tx.now - answers),
        lines=_DELETE_LINES.run(tx, before=tx.now - lines)
        + _DELETE_TRAIL.run(tx, before=tx.now - keep_ms)
        + _DELETE_OPERATIONS.run(tx, before=tx.now - max(keep_ms, OPERATIONS_LIVE)),
        conversations=_DELETE_CONVERSATIONS.run(tx, before=oldest, spoke_before=spoke_before),
        callbacks=callbacks.forget(tx, tx.now - keep_ms),
        profiles=_DELETE_PROFILES.run(tx, before=tx.now - keep_ms),
        deletions=deletions.forget(tx),
    )
    if dead is None:
        return purged
    return purged + Purged(
        events=_forget_events(tx, _DELETE_DEAD_EVENTS, _WIPE_DEAD_PAYLOADS, dead),
        pieces=_DELETE_DEAD_PIECES.run(tx, before=tx.now - dead),
    )


def _forget_events(tx: Tx, delete_: Statement, wipe: Statement, keep_ms: int) -> int:
    """Forget events, and before that what they said; return how many rows that was."""
    wiped = wipe.run(tx, before=tx.now - keep_ms) if keep_ms < KEYS_LIVE else 0
    return delete_.run(tx, before=tx.now - max(keep_ms, KEYS_LIVE)) + wiped
