"""
The outbox: a ledger of what becomes of each piece of an answer.

A piece is written down as being sent before it is sent. A claim that finds it so without
having sent it can't know whether it arrived, and has to find out first.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog
from sqlalchemy import bindparam, delete, insert, select, update

from ak_instagram import fast_json
from ak_instagram.meta.outgoing import COMMENT, Outgoing, attachment_key, sent_kind
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_DEAD,
    IS_KNOWN_TO_META,
    IS_OPEN,
    in_conversation,
    outbox,
)
from ak_instagram.store.statement import Row, Statement
from ak_instagram.store.values import (
    PERSON_WINDOW,
    WINDOW,
    Piece,
    PieceKind,
    PieceStatus,
    TurnResult,
)

from . import disclosure
from .claims import ClaimedRow

log = structlog.get_logger()

DISCLOSED = -1  # the place of the disclosure, before the answer's first piece
LOOK_BACK = 100  # pieces of a conversation among which a repeat is looked for

_o = outbox.c
_key = in_conversation(outbox)

_next = (
    select(
        *(_o.id, _o.turn, _o.seq, _o.payload, _o.status, _o.tries, _o.planned_at, _o.changed_at),
        _o.error.is_not(None).label("is_over"),
    )
    .where(*_key, IS_OPEN)
    .order_by(_o.id)
    .limit(1)
)
_NEXT = Statement(_next)
_NEXT_BY_PERSON = Statement(_next.where(_o.kind == PieceKind.BY_PERSON.value))
_BECOME_THE_BOTS = Statement(
    update(outbox).where(_o.id == bindparam("id"), IS_OPEN).values(kind=None)
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
    "kind",
)
# A private reply to a comment begins with its mark (see `conversation.comments`), and goes out
# whether the person has written or not.
_MARK = f'{{"{COMMENT}":'
_is_private_reply = _o.payload.like(f"{_MARK}%")
_NEXT_PRIVATE = Statement(_next.where(_is_private_reply))
_insert = insert(outbox).values({name: bindparam(name) for name in _COLUMNS})
_PLAN = Statement(_insert)
_PLAN_AND_BEGIN = Statement(_insert.returning(_o.id))
_PARK = Statement(
    update(outbox)
    .where(*_key, IS_OPEN, _o.status == PieceStatus.PLANNED.value, ~_is_private_reply)
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
    .returning(_o.answers, _o.kind)
)
_BEHIND = Statement(select(*(_o[name] for name in _COLUMNS)).where(*_key, IS_OPEN).order_by(_o.id))
_TAKE_OUT = Statement(delete(outbox).where(*_key, IS_OPEN))
_give_up = update(outbox).values(
    status=PieceStatus.DEAD.value, error=bindparam("why"), changed_at=bindparam("now")
)
_WHY_GIVEN_UP = Statement(
    select(_o.error).where(_o.turn == bindparam("turn"), IS_DEAD, *_key).limit(1)
)
_SAID_KEYS = Statement(
    select(_o.text_key).where(*_key, IS_KNOWN_TO_META, _o.turn == bindparam("turn"))
)
_IS_OPEN = Statement(select(_o.id).where(*_key, IS_OPEN).limit(1))
_GIVE_UP = Statement(_give_up.where(_o.id == bindparam("id"), IS_OPEN))
_GIVE_UP_REST = Statement(_give_up.where(*_key, _o.turn == bindparam("turn"), IS_OPEN))


def plan(tx: Tx, row: ClaimedRow, result: TurnResult) -> Piece | None:
    """
    Write down the whole answer of a turn, piece after piece.

    The disclosure comes before it if that is due. Returns the first piece of all, marked as
    being sent, if that may go out at once: neither the 24 h window nor an earlier piece is
    in its way.
    """
    key = {"account": row.account, "contact": row.contact}
    answers = ",".join(map(str, result.events))
    planned = _rows(tx, key, result.turn, answers, enumerate(result.messages, result.first))
    if not planned:
        return None
    message, seq = result.messages[0], result.first
    # A comment is replied to once, and privately: there is no room for a second message.
    is_private = COMMENT in message
    line = tx.worker.disclosures.get(row.account, tx.worker.disclosure)
    if line and seq == 0 and not is_private and disclosure.is_due(tx, row):
        message, seq = {"text": line}, DISCLOSED
        planned.insert(0, {**planned[0], **_disclosed(message, line)})
    is_closed = row.window_closes_at <= tx.now and row.ad_window_closes_at <= tx.now
    if (is_closed and not is_private) or _NEXT.row(tx, **key) is not None:
        _PLAN.run_many(tx, planned)
        return None
    begun = {**planned[0], "status": PieceStatus.SENDING.value, "tries": 1}
    piece = Piece(
        id=_PLAN_AND_BEGIN.value(tx, **begun),
        turn=result.turn,
        seq=seq,
        message=message,
        attempt=1,
        outcome_unknown=False,
        tried_at=tx.now,
        planned_at=tx.now,
    )
    if len(planned) > 1:
        _PLAN.run_many(tx, planned[1:])
    return piece


def _disclosed(message: Outgoing, text: str) -> dict[str, object]:
    """Return how the row of the disclosure, *message* with its *text*, differs from others."""
    return {
        "seq": DISCLOSED,
        "payload": fast_json.dump(message).decode(),
        "text_key": text_key(text),
        "kind": PieceKind.DISCLOSURE.value,
    }


def append(
    tx: Tx, account: str, contact: str, turn: str, messages: Sequence[Outgoing], kind: str | None
) -> None:
    """Write *messages* down as the pieces of *turn*, of this *kind*, behind all that waits."""
    key = {"account": account, "contact": contact}
    _PLAN.run_many(tx, _rows(tx, key, turn, None, enumerate(messages), kind))


def _rows(
    tx: Tx,
    key: Mapping[str, str],
    turn: str,
    answers: str | None,
    messages: Iterable[tuple[int, Outgoing]],
    kind: str | None = None,
) -> list[dict[str, object]]:
    """Return the rows of *turn*'s *messages*, each with its number; *answers* are events' ids."""
    return [
        {
            **key,
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
            "kind": kind,
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

    Outside the window the pieces are parked instead, but for private replies, and for those that
    a person wrote: these go out with a tag for some days more. A piece that is found as being
    sent is returned as it is: the outcome of its latest attempt is unknown.
    """
    while (found := _NEXT.row(tx, account=row.account, contact=row.contact)) is not None:
        is_tagged = False
        if row.window_closes_at <= tx.now and row.ad_window_closes_at <= tx.now:
            found, is_tagged = _next_when_closed(tx, row, found)
            if found is None:
                return None
        id_, turn, seq, payload, status, attempt, planned_at, changed_at, is_over = found
        is_sending = status == PieceStatus.SENDING
        if not is_sending:
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
            is_tagged=is_tagged,
        )
    return None


def _next_when_closed(tx: Tx, row: ClaimedRow, found: Row) -> tuple[Row | None, bool]:
    """
    Return what is next in a closed window, *found* being the first of all; and if it is tagged.

    That is a piece whose outcome is unknown or a private reply to a comment, else one that a
    person wrote within its time, else another private reply, else none: the rest is parked.
    """
    if found[4] == PieceStatus.SENDING or found[3].startswith(_MARK):
        return found, False
    if tx.now < row.window_closes_at - WINDOW + PERSON_WINDOW:
        by_person = _NEXT_BY_PERSON.row(tx, account=row.account, contact=row.contact)
        if by_person is not None:
            return by_person, True
    park(tx, row)
    return _NEXT_PRIVATE.row(tx, account=row.account, contact=row.contact), False


def park(tx: Tx, row: ClaimedRow) -> None:
    """Park the conversation's pieces, since the 24 h window is closed, until the person writes."""
    parked = _PARK.run(tx, account=row.account, contact=row.contact, now=tx.now)
    if parked:
        log.warning(
            "answer.parked", contact=row.contact, pieces=parked, reason="the 24 h window is closed"
        )


def untag(tx: Tx, piece: Piece) -> None:
    """Let *piece* wait for the window as the bot's own do: Meta does not take its tag."""
    _BECOME_THE_BOTS.run(tx, id=piece.id)


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
    answers, kind = dropped
    places = ((piece.seq, it) for it in messages)
    instead = _rows(tx, key, piece.turn, answers, places, kind)
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


def unsaid(
    tx: Tx, row: ClaimedRow, turns: Collection[str], messages: Collection[Outgoing]
) -> tuple[Outgoing, ...]:
    """Return those of *messages* that have not arrived as pieces of *turns*, word for word."""
    key = {"account": row.account, "contact": row.contact}
    said = Counter(
        known for turn in turns for (known,) in _SAID_KEYS.rows(tx, **key, turn=turn) if known
    )
    left = []
    for message in messages:
        text = message.get("text")
        known = text_key(text) if isinstance(text, str) else echo_key(message) or ""
        if said[known] > 0:
            said[known] -= 1
        else:
            left.append(message)
    return tuple(left)


def is_open(tx: Tx, row: ClaimedRow) -> bool:
    """Return whether a piece of the conversation has yet to go out."""
    return _IS_OPEN.row(tx, account=row.account, contact=row.contact) is not None


def plan_after_giving_up(tx: Tx, row: ClaimedRow, result: TurnResult) -> bool:
    """
    Plan what is told of an answer of which a piece was given up: it is dead as well.

    Returns whether that is so; otherwise nothing is planned.
    """
    key = {"account": row.account, "contact": row.contact}
    found = _WHY_GIVEN_UP.row(tx, **key, turn=result.turn)
    if found is None:
        return False
    answers = ",".join(map(str, result.events))
    planned = _rows(tx, key, result.turn, answers, enumerate(result.messages, result.first))
    _PLAN.run_many(tx, planned)
    _GIVE_UP_REST.run(tx, **key, turn=result.turn, why=found[0], now=tx.now)
    return True


def give_up(tx: Tx, row: ClaimedRow, piece: Piece, why: str) -> None:
    """
    Give up *piece* and what follows it in its turn.

    If an echo has shown meanwhile that the piece arrived, that stands, and the rest goes on.
    """
    if _GIVE_UP.run(tx, id=piece.id, why=why, now=tx.now):
        key = {"account": row.account, "contact": row.contact}
        _GIVE_UP_REST.run(tx, **key, turn=piece.turn, why=why, now=tx.now)
        disclosure.take_back(tx, **key, turn=piece.turn)
