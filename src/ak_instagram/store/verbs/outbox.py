"""
The send ledger: what becomes of each piece of an answer.

A piece is written down as being sent before it is sent. Who finds it so without
having sent it itself can't know whether it arrived, and has to find out first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Connection, bindparam, insert, select, update

from ak_instagram import fast_json
from ak_instagram.store.schema import IS_KNOWN_TO_META, IS_OPEN, of_conversation, outbox
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import ClaimedRow, Piece, PieceStatus, key_of
from ak_instagram.text import digest

log = structlog.get_logger()

LOOK_BACK = 100  # pieces of a conversation among which a repeat is looked for

_o = outbox.c
_of_conversation = of_conversation(outbox)
_columns = (
    _o.id,
    _o.turn,
    _o.seq,
    _o.payload,
    _o.status,
    _o.tries,
    _o.planned_at,
    _o.changed_at,
)

_NEXT = Statement(select(*_columns).where(*_of_conversation, IS_OPEN).order_by(_o.id).limit(1))
_insert = insert(outbox).values(
    {
        name: bindparam(name)
        for name in (
            "account",
            "contact",
            "turn",
            "seq",
            "payload",
            "text_key",
            "status",
            "tries",
            "planned_at",
            "changed_at",
            "answers",
        )
    }
)
_PLAN = Statement(_insert)
_PLAN_AND_BEGIN = Statement(_insert.returning(_o.id))
_PARK = Statement(
    update(outbox)
    .where(*_of_conversation, IS_OPEN, _o.status == PieceStatus.PLANNED.value)
    .values(status=PieceStatus.PARKED.value, changed_at=bindparam("now"))
)
_BEGIN = Statement(
    # An echo may have settled the piece since it was read.
    update(outbox)
    .where(_o.id == bindparam("piece"), IS_OPEN)
    .values(status=PieceStatus.SENDING.value, tries=bindparam("tried"), changed_at=bindparam("now"))
)
_SENT = Statement(
    update(outbox)
    .where(_o.id == bindparam("piece"))
    .values(
        status=PieceStatus.SENT.value,
        message_id=bindparam("mid"),
        error=None,
        changed_at=bindparam("now"),
    )
)
_FAILED = Statement(
    # An echo may have settled the piece meanwhile: that stands.
    update(outbox)
    .where(_o.id == bindparam("piece"), _o.status == PieceStatus.SENDING.value)
    .values(status=bindparam("then"), error=bindparam("why"))
)
_SENT_IDS = Statement(
    select(_o.message_id)
    .where(*_of_conversation, IS_KNOWN_TO_META)
    .order_by(_o.id.desc())
    .limit(LOOK_BACK)
)
_SAID = Statement(
    select(_o.id)
    .where(*_of_conversation, IS_KNOWN_TO_META, _o.turn == bindparam("of_turn"))
    .limit(1)
)
_give_up = update(outbox).values(
    status=PieceStatus.DEAD.value, error=bindparam("why"), changed_at=bindparam("now")
)
_GIVE_UP = Statement(_give_up.where(_o.id == bindparam("piece"), IS_OPEN))
_GIVE_UP_REST = Statement(
    _give_up.where(*_of_conversation, _o.turn == bindparam("of_turn"), IS_OPEN)
)


def plan(
    connection: Connection,
    now: int,
    held: ClaimedRow,
    turn: str,
    events: Iterable[int],
    messages: Sequence[Mapping[str, object]],
) -> Piece | None:
    """
    Write down the whole answer of *turn* to *events*, piece after piece.

    Returns its first piece, marked as being sent, if that may go out at once.
    """
    answers = ",".join(map(str, events))
    rows = [_row(now, held, turn, answers, seq, message) for seq, message in enumerate(messages)]
    if not rows or not _may_begin(connection, now, held):
        _PLAN.run_many(connection, rows)
        return None
    begun = {"status": PieceStatus.SENDING.value, "tries": 1}
    piece: int = _PLAN_AND_BEGIN.value(connection, **(rows[0] | begun))
    _PLAN.run_many(connection, rows[1:])
    return Piece(
        piece, turn, 0, messages[0], 1, outcome_unknown=False, tried_at=now, planned_at=now
    )


def next_piece(connection: Connection, now: int, held: ClaimedRow) -> Piece | None:
    """
    Return the conversation's next piece, marked as being sent, or `None` if there is none.

    Outside the 24 h window the pieces are parked instead. A piece found as being
    sent is returned as doubtful, as it is.
    """
    row = _NEXT.row(connection, **key_of(held))
    if row is None:
        return None
    piece = Piece(
        row.id,
        row.turn,
        row.seq,
        fast_json.load(row.payload),
        row.tries,
        outcome_unknown=True,
        tried_at=row.changed_at,
        planned_at=row.planned_at,
    )
    if row.status == PieceStatus.SENDING:
        return piece
    if held.window_closes_at <= now:
        _park(connection, now, held)
        return None
    begun = replace(piece, tries=piece.tries + 1, outcome_unknown=False, tried_at=now)
    if not _BEGIN.run(connection, piece=begun.id, tried=begun.tries, now=now):
        return next_piece(connection, now, held)
    return begun


def mark_sent(connection: Connection, now: int, piece_id: int, message_id: str) -> None:
    """Note that Meta took the piece, under *message_id*."""
    _SENT.run(connection, piece=piece_id, mid=message_id, now=now)


def mark_failed(connection: Connection, piece_id: int, then: PieceStatus, why: str) -> None:
    """Note why the try failed; *then* is `PLANNED` if it surely did not arrive, else `SENDING`."""
    _FAILED.run(connection, piece=piece_id, then=then.value, why=why)


def sent_ids(connection: Connection, held: ClaimedRow) -> frozenset[str]:
    """Return the ids under which Meta took the conversation's latest pieces."""
    return frozenset(row[0] for row in _SENT_IDS.rows(connection, **key_of(held)))


def has_said(connection: Connection, held: ClaimedRow, turn: str) -> bool:
    """Return whether a piece of *turn* has arrived before."""
    return _SAID.row(connection, **key_of(held), of_turn=turn) is not None


def give_up(connection: Connection, now: int, held: ClaimedRow, piece: Piece, why: str) -> None:
    """
    Give up *piece* and what follows it in its turn.

    If an echo has shown meanwhile that the piece arrived, that stands, and the rest goes on.
    """
    if _GIVE_UP.run(connection, piece=piece.id, why=why, now=now):
        _GIVE_UP_REST.run(connection, **key_of(held), of_turn=piece.turn, why=why, now=now)


def _may_begin(connection: Connection, now: int, held: ClaimedRow) -> bool:
    """Whether neither the 24 h window nor an earlier piece is in a new piece's way."""
    return held.window_closes_at > now and _NEXT.row(connection, **key_of(held)) is None


def _row(
    now: int, held: ClaimedRow, turn: str, answers: str, seq: int, message: Mapping[str, object]
) -> dict[str, object]:
    return {
        "account": held.account,
        "contact": held.contact,
        "turn": turn,
        "seq": seq,
        "payload": fast_json.dump(message).decode(),
        "text_key": _text_key_of(message),
        "status": PieceStatus.PLANNED.value,
        "tries": 0,
        "planned_at": now,
        "changed_at": now,
        "answers": answers,
    }


def _park(connection: Connection, now: int, held: ClaimedRow) -> None:
    parked = _PARK.run(connection, **key_of(held), now=now)
    if parked:
        log.warning(
            "answer.parked", contact=held.contact, pieces=parked, reason="the 24 h window is closed"
        )


def _text_key_of(message: Mapping[str, object]) -> str | None:
    said = message.get("text")
    return digest(said) if isinstance(said, str) else None
