"""
The outbox: a ledger of what becomes of each piece of an answer.

A piece is written down as being sent before it is sent. A claim that finds it so without
having sent it can't know whether it arrived, and has to find out first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import structlog
from sqlalchemy import bindparam, delete, insert, select, update

from ak_instagram import fast_json
from ak_instagram.meta.outgoing import Outgoing, attachment_key, sent_kind
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import IS_KNOWN_TO_META, IS_OPEN, in_conversation, outbox
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import Piece, PieceStatus, TurnResult

from .claims import ClaimedRow

log = structlog.get_logger()

LOOK_BACK = 100  # pieces of a conversation among which a repeat is looked for

_o = outbox.c
_key = in_conversation(outbox)

_NEXT = Statement(
    select(
        *(_o.id, _o.turn, _o.seq, _o.payload, _o.status, _o.tries, _o.planned_at, _o.changed_at),
        _o.error.is_not(None).label("is_over"),
    )
    .where(*_key, IS_OPEN)
    .order_by(_o.id)
    .limit(1)
)
_COLUMNS = (
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
_insert = insert(outbox).values({name: bindparam(name) for name in _COLUMNS})
_PLAN = Statement(_insert)
_PLAN_AND_BEGIN = Statement(_insert.returning(_o.id))
_PARK = Statement(
    update(outbox)
    .where(*_key, IS_OPEN, _o.status == PieceStatus.PLANNED.value)
    .values(status=PieceStatus.PARKED.value, changed_at=bindparam("now"))
)
_BEGIN = Statement(
    # An echo may have settled the piece since it was read.
    update(outbox)
    .where(_o.id == bindparam("id"), IS_OPEN)
    .values(
        status=PieceStatus.SENDING.value,
        tries=bindparam("tries"),
        error=None,  # until the attempt is over
        changed_at=bindparam("now"),
    )
)
_SENT = Statement(
    update(outbox)
    .where(_o.id == bindparam("id"))
    .values(
        status=PieceStatus.SENT.value,
        message_id=bindparam("message_id"),
        error=None,
        changed_at=bindparam("now"),
    )
)
_FAILED = Statement(
    # An echo may have settled the piece meanwhile: that stands.
    update(outbox)
    .where(_o.id == bindparam("id"), _o.status == PieceStatus.SENDING.value)
    .values(status=bindparam("then"), error=bindparam("why"))
)
_SENT_IDS = Statement(
    select(_o.message_id).where(*_key, IS_KNOWN_TO_META).order_by(_o.id.desc()).limit(LOOK_BACK)
)
_SAID = Statement(
    select(_o.id).where(*_key, IS_KNOWN_TO_META, _o.turn == bindparam("turn")).limit(1)
)
_REPLACED = Statement(
    update(outbox)
    .where(_o.id == bindparam("id"), IS_OPEN)
    .values(status=PieceStatus.DROPPED.value, error=bindparam("why"), changed_at=bindparam("now"))
    .returning(_o.answers)
)
_BEHIND = Statement(select(*(_o[name] for name in _COLUMNS)).where(*_key, IS_OPEN).order_by(_o.id))
_TAKE_OUT = Statement(delete(outbox).where(*_key, IS_OPEN))
_give_up = update(outbox).values(
    status=PieceStatus.DEAD.value, error=bindparam("why"), changed_at=bindparam("now")
)
_GIVE_UP = Statement(_give_up.where(_o.id == bindparam("id"), IS_OPEN))
_GIVE_UP_REST = Statement(_give_up.where(*_key, _o.turn == bindparam("turn"), IS_OPEN))


def plan(tx: Tx, row: ClaimedRow, result: TurnResult) -> Piece | None:
    """
    Write down the whole answer of a turn, piece after piece.

    Returns its first piece, marked as being sent, if that may go out at once: neither the
    24 h window nor an earlier piece is in its way.
    """
    answers = ",".join(map(str, result.events))
    planned = _rows(tx, row, result.turn, answers, enumerate(result.messages))
    if not planned:
        return None
    key = {"account": row.account, "contact": row.contact}
    if row.window_closes_at <= tx.now or _NEXT.row(tx, **key) is not None:
        _PLAN.run_many(tx, planned)
        return None
    begun = {**planned[0], "status": PieceStatus.SENDING.value, "tries": 1}
    piece = Piece(
        id=_PLAN_AND_BEGIN.value(tx, **begun),
        turn=result.turn,
        seq=0,
        message=result.messages[0],
        attempt=1,
        outcome_unknown=False,
        tried_at=tx.now,
        planned_at=tx.now,
    )
    if len(planned) > 1:
        _PLAN.run_many(tx, planned[1:])
    return piece


def _rows(
    tx: Tx,
    row: ClaimedRow,
    turn: str,
    answers: str | None,
    messages: Iterable[tuple[int, Outgoing]],
) -> list[dict[str, object]]:
    """Return the rows of *turn*'s *messages*, each with its number; *answers* are events' ids."""
    return [
        {
            "account": row.account,
            "contact": row.contact,
            "turn": turn,
            "seq": seq,
            "payload": fast_json.dump(message).decode(),
            "text_key": text_key(said)
            if isinstance(said := message.get("text"), str)
            else echo_key(message),
            "status": PieceStatus.PLANNED.value,
            "tries": 0,
            "planned_at": tx.now,
            "changed_at": tx.now,
            "answers": answers,
        }
        for seq, message in messages
    ]


def echo_key(message: Outgoing) -> str | None:
    """Return what a *message* without a text is known by; `None` if it has no echo."""
    kind = sent_kind(message)
    return attachment_key(kind) if kind else None


def text_key(said: str) -> str:
    """Return a digest by which two texts are known to be the same, spaces around them aside."""
    plain = said.strip().encode("utf-8", "replace")
    return hashlib.blake2b(plain, digest_size=16).hexdigest()


def begin_next_piece(tx: Tx, row: ClaimedRow) -> Piece | None:
    """
    Mark the conversation's next piece as being sent and return it, `None` if there is none.

    Outside the 24 h window the pieces are parked instead. A piece that is found as being
    sent is returned as it is: the outcome of its latest attempt is unknown.
    """
    while (found := _NEXT.row(tx, account=row.account, contact=row.contact)) is not None:
        id_, turn, seq, payload, status, attempt, planned_at, changed_at, is_over = found
        is_sending = status == PieceStatus.SENDING
        if not is_sending:
            if row.window_closes_at <= tx.now:
                park(tx, row)
                return None
            attempt += 1
            if not _BEGIN.run(tx, id=id_, tries=attempt, now=tx.now):
                continue
        return Piece(
            id=id_,
            turn=turn,
            seq=seq,
            message=fast_json.load(payload),
            attempt=attempt,
            outcome_unknown=is_sending,
            tried_at=changed_at if is_sending else tx.now,
            planned_at=planned_at,
            is_over=bool(is_sending and is_over),
        )
    return None


def park(tx: Tx, row: ClaimedRow) -> None:
    """Park the conversation's pieces, since the 24 h window is closed, until the person writes."""
    parked = _PARK.run(tx, account=row.account, contact=row.contact, now=tx.now)
    if parked:
        log.warning(
            "answer.parked", contact=row.contact, pieces=parked, reason="the 24 h window is closed"
        )


def mark_sent(tx: Tx, piece: Piece, message_id: str) -> None:
    """Note that Meta took *piece*, under *message_id*; a reaction has none."""
    _SENT.run(tx, id=piece.id, message_id=message_id or None, now=tx.now)


def mark_failed(tx: Tx, piece: Piece, then: PieceStatus, why: str) -> None:
    """
    Note why the attempt failed; *then* is `SENDING` if it may have arrived, else `PLANNED`.

    An attempt of unknown outcome that stays so has not failed anew: nothing is written.
    """
    if piece.outcome_unknown and then is PieceStatus.SENDING:
        return
    _FAILED.run(tx, id=piece.id, then=then.value, why=why)


def replace(tx: Tx, row: ClaimedRow, piece: Piece, messages: Iterable[Outgoing], why: str) -> None:
    """
    Put *messages* in the place of *piece*, which is dropped because of *why*.

    What waits behind it stays behind them. If an echo has shown meanwhile that the piece
    arrived, that stands.
    """
    dropped = _REPLACED.row(tx, id=piece.id, why=why, now=tx.now)
    if dropped is None:
        return
    key = {"account": row.account, "contact": row.contact}
    behind = [dict(zip(_COLUMNS, each, strict=True)) for each in _BEHIND.rows(tx, **key)]
    instead = _rows(tx, row, piece.turn, dropped[0], ((piece.seq, it) for it in messages))
    # Pieces go out by their ids, so what stays behind needs new ones.
    _TAKE_OUT.run(tx, **key)
    _PLAN.run_many(tx, instead + behind)


def sent_ids(tx: Tx, row: ClaimedRow) -> frozenset[str]:
    """Return the ids under which Meta took the conversation's latest pieces."""
    found = _SENT_IDS.rows(tx, account=row.account, contact=row.contact)
    return frozenset(message_id for (message_id,) in found)


def has_said(tx: Tx, row: ClaimedRow, turn: str) -> bool:
    """Return whether a piece of *turn* has arrived before."""
    return _SAID.row(tx, account=row.account, contact=row.contact, turn=turn) is not None


def give_up(tx: Tx, row: ClaimedRow, piece: Piece, why: str) -> None:
    """
    Give up *piece* and what follows it in its turn.

    If an echo has shown meanwhile that the piece arrived, that stands, and the rest goes on.
    """
    if _GIVE_UP.run(tx, id=piece.id, why=why, now=tx.now):
        key = {"account": row.account, "contact": row.contact}
        _GIVE_UP_REST.run(tx, **key, turn=piece.turn, why=why, now=tx.now)
