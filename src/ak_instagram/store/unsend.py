"""What a person takes back is forgotten: all that was kept of it, and what would answer it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, delete, select, text, update

from .conditions import of_conversation
from .rows import key_of
from .schema import IS_NOT_SENT, events, outbox, transcript
from .statements import Statement
from .values import Arrival, EventStatus, PieceStatus

log = structlog.get_logger()

_e, _o, _t = events.c, outbox.c, transcript.c
# What is kept of an answer and has not gone out: given up as well, since a replay would send it.
_not_sent = (*of_conversation(outbox), IS_NOT_SENT, _o.payload.is_not(None))
_its_turn = select(_e.turn).where(_e.key == bindparam("of_key")).scalar_subquery()

_FORGET_LINES = Statement(
    delete(transcript).where(*of_conversation(transcript), _t.role == "user", _t.turn == _its_turn)
)
_WIPE = Statement(
    update(events)
    .where(_e.key == bindparam("of_key"))
    .values(status=EventStatus.UNSENT.value, payload=None)
)
_TURN_OF_THE_REST = Statement(select(_o.turn).where(*_not_sent, _o.turn == _its_turn).limit(1))
_STILL_SAID = Statement(
    select(_e.id)
    .where(
        _e.turn == bindparam("of_turn"),
        text("kind IN ('message', 'postback')"),
        _e.payload.is_not(None),
    )
    .limit(1)
)
_DROP = Statement(
    update(outbox)
    .where(*_not_sent, _o.turn == bindparam("of_turn"))
    .values(status=PieceStatus.DROPPED.value, payload=None, error="the person took it back")
)


def wipe(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Forget the messages that *arrivals* take back, answered or not."""
    for arrival in arrivals:
        if arrival.takes_back is not None:
            of = {**key_of(arrival), "of_key": arrival.takes_back}
            _FORGET_LINES.run(connection, **of)
            keys = (arrival.takes_back, *arrival.takes_back_edits)
            _WIPE.run_many(connection, [{"of_key": key} for key in keys])
            _drop_answer(connection, arrival, of)


def _drop_answer(connection: Connection, arrival: Arrival, of: dict[str, object]) -> None:
    """Give up and forget what has not gone out of the answer, if it answers nothing else."""
    turn = _TURN_OF_THE_REST.value(connection, **of)
    # The second statement looks through all events: an index of their turns would cost every
    # message something, and hardly ever is an answer under way when its question is taken back.
    if turn is not None and _STILL_SAID.row(connection, of_turn=turn) is None:
        _DROP.run(connection, **key_of(arrival), of_turn=turn)
        log.info("reply.dropped", contact=arrival.contact, reason="the person took it back")
