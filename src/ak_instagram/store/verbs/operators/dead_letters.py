"""Dead letters: turns that were given up, to be looked at, tried again, or let go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    bindparam,
    case,
    exists,
    func,
    select,
    text,
    update,
)

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import IS_DEAD, conversations, events, outbox
from ak_instagram.store.statement import Row, Statement
from ak_instagram.store.values import EventStatus, PieceStatus

_e, _o, _c = events.c, outbox.c, conversations.c
_of_events = (_e.turn == bindparam("turn"), IS_DEAD)
_of_pieces = (_o.turn == bindparam("turn"), IS_DEAD)

_FIRST_EVENT = Statement(select(_e.id).where(*_of_events).limit(1))
_SAID = Statement(select(_e.kind, _e.payload).where(*_of_events).order_by(_e.at, _e.id))
_UNSENT = Statement(select(_o.seq, _o.payload).where(*_of_pieces).order_by(_o.id))


def _is_left_to_us(table: Table) -> ColumnElement[bool]:
    """Return the condition for rows of conversations in which no person answers now."""
    return ~exists().where(
        _c.account == table.c.account,
        _c.contact == table.c.contact,
        _c.paused_until > bindparam("now"),
    )


# What has been wiped meanwhile can't be asked about any more.
_REVIVE_EVENTS = Statement(
    update(events)
    .where(*_of_events, _e.payload.is_not(None), _is_left_to_us(events))
    .values(status=EventStatus.WAITING.value, reason=None)
    .returning(_e.account, _e.contact)
)
# A piece that was tried may have arrived: it is looked for before it is sent again. The
# time of its last change stays, by which a late echo of it is known as ours.
_REVIVE_PIECES = Statement(
    update(outbox)
    .where(*_of_pieces, _is_left_to_us(outbox))
    .values(
        status=case((_o.tries > 0, PieceStatus.SENDING.value), else_=PieceStatus.PLANNED.value),
        error=None,
    )
    .returning(_o.account, _o.contact)
)
_DROP_PIECES = Statement(
    update(outbox)
    .where(*_of_pieces)
    .values(status=PieceStatus.DROPPED.value, error=bindparam("why"))
)
_DISCARD_EVENTS = Statement(
    update(events).where(*_of_events).values(status=EventStatus.IGNORED.value, reason="discarded")
)
_WAKE = Statement(
    text(
        """
    INSERT INTO conversations (account, contact, due_at)
    VALUES (:account, :contact, :now)
    ON CONFLICT (account, contact) DO UPDATE SET due_at = :now, not_before = 0, attempts = 0
    """
    )
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    A turn that was given up.

    *what* is `turn` when the agent failed, and `answer` when it answered and the answer
    could not be sent. *since* is the time of its first event or piece in UTC
    milliseconds, *count* how many there are.
    """

    turn: str
    account: str
    contact: str
    what: Literal["turn", "answer"]
    reason: str
    since: int
    count: int


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice of dead letters: all that is set has to fit; *since* is in UTC milliseconds."""

    turn: str | None = None
    account: str | None = None
    contact: str | None = None
    since: int | None = None
    limit: int = 100


def find(tx: Tx, wanted: Filter) -> list[DeadLetter]:
    """Return the dead letters that fit, oldest first."""
    failed = _grouped(wanted, _e.reason, _e.at).rows(tx)
    dead = {turn for turn, *_ in failed}
    # Of a dead turn it is only the apology that could not be sent.
    unsent = [it for it in _grouped(wanted, _o.error, _o.planned_at).rows(tx) if it[0] not in dead]
    kinds: tuple[tuple[Literal["turn", "answer"], Sequence[Row]], ...]
    kinds = (("turn", failed), ("answer", unsent))
    found = [
        DeadLetter(turn, account, contact, what, *rest)
        for what, rows in kinds
        for turn, account, contact, *rest in rows
    ]
    return sorted(found, key=lambda letter: letter.since)[: wanted.limit]


def contents(tx: Tx, turn: str) -> list[tuple[str, str | None]]:
    """Return the kind and the JSON of the dead events and pieces of *turn*, in order."""
    return [
        *((kind, payload) for kind, payload in _SAID.rows(tx, turn=turn)),
        *((f"piece {seq}", payload) for seq, payload in _UNSENT.rows(tx, turn=turn)),
    ]


def replay(tx: Tx, turn: str) -> bool:
    """
    Try *turn* again; return whether there was anything to try.

    A turn that the agent failed on is asked anew. Of an answer only what was not sent
    goes out. Repeating it is harmless. Nothing is tried where a person answers, nor
    what has been wiped since.
    """
    has_events = _FIRST_EVENT.row(tx, turn=turn) is not None
    revive = _REVIVE_EVENTS if has_events else _REVIVE_PIECES
    revived = {(account, contact) for account, contact in revive.rows(tx, turn=turn, now=tx.now)}
    if has_events and revived:
        _DROP_PIECES.run(tx, turn=turn, why="replayed")
    for account, contact in revived:
        _WAKE.run(tx, account=account, contact=contact, now=tx.now)
    return bool(revived)


def discard(tx: Tx, turn: str) -> bool:
    """Let *turn* go for good; return whether there was anything to let go."""
    ended = _DISCARD_EVENTS.run(tx, turn=turn)
    dropped = _DROP_PIECES.run(tx, turn=turn, why="discarded")
    return ended + dropped > 0


def _grouped(wanted: Filter, reason: Column[str], time: Column[int]) -> Statement:
    """Return the statement for what is dead of a table, a row for each turn, oldest first."""
    table = reason.table
    turn, account, contact = table.c.turn, table.c.account, table.c.contact
    since = func.min(time)
    conditions = [
        column == value
        for column, value in (
            (turn, wanted.turn),
            (account, wanted.account),
            (contact, wanted.contact),
        )
        if value is not None
    ]
    if wanted.since is not None:
        conditions.append(time >= wanted.since)
    return Statement(
        select(turn, account, contact, func.min(reason), since, func.count())
        .where(IS_DEAD, *conditions)
        .group_by(turn, account, contact)
        .order_by(since)
        .limit(wanted.limit)
    )
