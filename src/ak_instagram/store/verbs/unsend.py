"""Unsends: a message that its person took back is forgotten, and so is the answer to it."""

from __future__ import annotations

import structlog
from sqlalchemy import bindparam, delete, exists, select, text, update

from ak_instagram.meta.events import Event
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import IS_NOT_SENT, events, in_conversation, outbox, transcript
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import EventStatus, PieceStatus

from . import disclosure

log = structlog.get_logger()

_e, _o, _t = events.c, outbox.c, transcript.c
_its_turn = select(_e.turn).where(_e.key == bindparam("key")).scalar_subquery()

_TURN = Statement(select(_e.turn).where(_e.key == bindparam("key")))
_FORGET_LINES = Statement(
    delete(transcript).where(*in_conversation(transcript), _t.role == "user", _t.turn == _its_turn)
)
_WIPE = Statement(
    update(events)
    .where(_e.key == bindparam("key"))
    .values(status=EventStatus.UNSENT.value, payload=None)
)


def _drop_where(is_answered: str) -> Statement:
    """
    Return the statement that drops the answer to a message that was taken back.

    An answer stays if another message that it answers has not been taken back. *is_answered*
    is the condition for the events that a piece answers, by their ids.
    """
    is_still_said = exists().where(
        text(is_answered),
        text("events.kind IN ('message', 'postback')"),
        _e.payload.is_not(None),
    )
    return Statement(
        update(outbox)
        .where(
            *in_conversation(outbox),
            # What was given up and is kept goes as well, since a replay would send it.
            IS_NOT_SENT,
            _o.payload.is_not(None),
            _o.turn == _its_turn,
            ~is_still_said,
        )
        .values(status=PieceStatus.DROPPED.value, payload=None, error="the person took it back")
    )


# A piece that does not say what it answers goes: it may quote what was taken back.
_DROP_SQLITE = _drop_where(
    "events.id IN (SELECT value FROM json_each('[' || outbox.answers || ']'))"
)
_DROP_POSTGRES = _drop_where(
    "events.id = ANY (CAST(string_to_array(outbox.answers, ',') AS bigint[]))"
)


def forget(tx: Tx, unsend: Event, key: str) -> None:
    """Forget the message with *key* that *unsend* takes back, and its edits; answered or not."""
    named = {"account": unsend.account, "contact": unsend.contact, "key": key}
    _FORGET_LINES.run(tx, **named)
    _WIPE.run_many(tx, [{"key": each} for each in (key, *unsend.unsends_edits)])
    drop = _DROP_SQLITE if tx.connection.dialect.name == "sqlite" else _DROP_POSTGRES
    if drop.run(tx, **named):
        log.info("answer.dropped", contact=unsend.contact, reason="the person took it back")
        turn = _TURN.value(tx, key=key)
        disclosure.take_back(tx, unsend.account, unsend.contact, turn)
