"""Turns that were given up: looked at, tried again, or let go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    case,
    exists,
    func,
    select,
    text,
    update,
)

from ak_instagram.store.schema import IS_DEAD, conversations, events, outbox
from ak_instagram.store.values import EventStatus, PieceStatus

_e, _o, _c = events.c, outbox.c, conversations.c
_of_turn: BindParameter[str] = bindparam("of_turn")

_FIRST_EVENT = select(_e.id).where(_e.turn == _of_turn, IS_DEAD).limit(1)


def _is_left_to_us(table: Table) -> ColumnElement[bool]:
    """Return the condition for rows of conversations in which no person answers now."""
    return ~exists().where(
        _c.account == table.c.account,
        _c.contact == table.c.contact,
        _c.paused_until > bindparam("now"),
    )


# What has been wiped meanwhile can't be asked about any more.
_REVIVE_EVENTS = (
    update(events)
    .where(_e.turn == _of_turn, IS_DEAD, _e.payload.is_not(None), _is_left_to_us(events))
    .values(status=EventStatus.WAITING.value, reason=None)
    .returning(_e.account, _e.contact)
)
# A piece that was tried may have arrived: it is looked for before it is sent again. The
# time of its last change stays, by which a late echo of it is known as ours.
_REVIVE_PIECES = (
    update(outbox)
    .where(_o.turn == _of_turn, IS_DEAD, _is_left_to_us(outbox))
    .values(
        status=case((_o.tries > 0, PieceStatus.SENDING.value), else_=PieceStatus.PLANNED.value),
        error=None,
    )
    .returning(_o.account, _o.contact)
)
_DROP_PIECES = (
    update(outbox)
    .where(_o.turn == _of_turn, IS_DEAD)
    .values(status=PieceStatus.DROPPED.value, error=bindparam("why"))
)
_DISCARD_EVENTS = (
    update(events)
    .where(_e.turn == _of_turn, IS_DEAD)
    .values(status=EventStatus.IGNORED.value, reason="discarded")
)
_WAKE = text(
    """
    INSERT INTO conversations (account, contact, due_at)
    VALUES (:account, :contact, :now)
    ON CONFLICT (account, contact) DO UPDATE SET due_at = :now, not_before = 0, attempts = 0
    """
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    A turn that was given up.

    *what* is `turn` when the agent failed, and `pieces` when it answered and the answer
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
    """Which dead letters: all that is set has to fit; *since* is in UTC milliseconds."""

    turn: str | None = None
    account: str | None = None
    contact: str | None = None
    since: int | None = None
    limit: int = 100


def find(connection: Connection, _now: int, wanted: Filter) -> list[DeadLetter]:
    """Return the dead letters that fit, oldest first."""
    turns = connection.execute(_grouped(wanted, _e.reason, _e.at))
    found = [_letter("turn", row) for row in turns]
    dead = {letter.turn for letter in found}
    pieces = connection.execute(_grouped(wanted, _o.error, _o.planned_at))
    # Of a dead turn it is only the apology that could not be sent.
    found += [_letter("answer", row) for row in pieces if row.turn not in dead]
    return sorted(found, key=lambda letter: letter.since)[: wanted.limit]


def contents(connection: Connection, _now: int, turn: str) -> list[tuple[str, str | None]]:
    """Return the kind and the JSON of the dead events and pieces of *turn*, in order."""
    said = select(_e.kind, _e.payload).where(_e.turn == turn, IS_DEAD).order_by(_e.at, _e.id)
    unsent = select(_o.seq, _o.payload).where(_o.turn == turn, IS_DEAD).order_by(_o.id)
    return [
        *((row.kind, row.payload) for row in connection.execute(said)),
        *((f"piece {row.seq}", row.payload) for row in connection.execute(unsent)),
    ]


def replay(connection: Connection, now: int, turn: str) -> bool:
    """
    Try *turn* again; return whether there was anything to try.

    A turn that the agent failed on is asked anew. Of an answer only what was not sent
    goes out. Repeating it is harmless. Nothing is tried where a person answers, nor
    what has been wiped since.
    """
    of = {"of_turn": turn}
    has_events = connection.execute(_FIRST_EVENT, of).first() is not None
    revive = _REVIVE_EVENTS if has_events else _REVIVE_PIECES
    revived = connection.execute(revive, {**of, "now": now}).all()
    if has_events and revived:
        connection.execute(_DROP_PIECES, {**of, "why": "replayed"})
    for account, contact in {(row.account, row.contact) for row in revived}:
        connection.execute(_WAKE, {"account": account, "contact": contact, "now": now})
    return bool(revived)


def discard(connection: Connection, _now: int, turn: str) -> bool:
    """Let *turn* go for good; return whether there was anything to let go."""
    of = {"of_turn": turn}
    ended = connection.execute(_DISCARD_EVENTS, of).rowcount
    dropped = connection.execute(_DROP_PIECES, {**of, "why": "discarded"}).rowcount
    return ended + dropped > 0


def _letter(
    what: Literal["turn", "answer"], group: Row[str, str, str, str, int, int]
) -> DeadLetter:
    turn, account, contact, reason, since, count = group
    return DeadLetter(turn, account, contact, what, reason, since, count)


def _grouped(
    wanted: Filter, reason: Column[str], time: Column[int]
) -> Select[str, str, str, str, int, int]:
    """Return the query for what is dead of a table, a row for each turn, oldest first."""
    table = reason.table
    turn, account, contact = table.c.turn, table.c.account, table.c.contact
    since = func.min(time)
    return (
        select(turn, account, contact, func.min(reason), since, func.count())
        .where(IS_DEAD, *_conditions(wanted, time))
        .group_by(turn, account, contact)
        .order_by(since)
        .limit(wanted.limit)
    )


def _conditions(wanted: Filter, time: Column[int]) -> list[ColumnElement[bool]]:
    table = time.table
    conditions = [
        table.c[name] == value
        for name, value in (
            ("turn", wanted.turn),
            ("account", wanted.account),
            ("contact", wanted.contact),
        )
        if value is not None
    ]
    return conditions if wanted.since is None else [*conditions, time >= wanted.since]
