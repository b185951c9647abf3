"""What a person takes back is forgotten: all that was kept of it, and what would answer it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, delete, exists, select, text, update

from ak_instagram.meta.events import Event
from ak_instagram.store.schema import IS_NOT_SENT, events, of_conversation, outbox, transcript
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import EventStatus, PieceStatus, key_of

log = structlog.get_logger()

_e, _o, _t = events.c, outbox.c, transcript.c
_its_turn = select(_e.turn).where(_e.key == bindparam("of_key")).scalar_subquery()

_FORGET_LINES = Statement(
    delete(transcript).where(*of_conversation(transcript), _t.role == "user", _t.turn == _its_turn)
)
_WIPE = Statement(
    update(events)
    .where(_e.key == bindparam("of_key"))
    .values(status=EventStatus.UNSENT.value, payload=None)
)


def _drop_where(is_answered: str) -> Statement:
    """
    Return what drops the answer to a message, unless something else that it answers is still said.

    *is_answered* is the condition for the events that a piece answers, by their ids.
    """
    is_still_said = exists().where(
        text(is_answered),
        text("events.kind IN ('message', 'postback')"),
        _e.payload.is_not(None),
    )
    return Statement(
        update(outbox)
        .where(
            *of_conversation(outbox),
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


def wipe(connection: Connection, arrivals: Sequence[Event]) -> None:
    """Forget the messages that *arrivals* take back, answered or not."""
    drop = _DROP_SQLITE if connection.dialect.name == "sqlite" else _DROP_POSTGRES
    for arrival in arrivals:
        if arrival.unsends is not None:
            of = {**key_of(arrival), "of_key": arrival.unsends}
            _FORGET_LINES.run(connection, **of)
            keys = (arrival.unsends, *arrival.unsends_edits)
            _WIPE.run_many(connection, [{"of_key": key} for key in keys])
            if drop.run(connection, **of):
                log.info(
                    "answer.dropped", contact=arrival.contact, reason="the person took it back"
                )
