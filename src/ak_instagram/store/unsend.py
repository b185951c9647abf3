"""What a person takes back is forgotten: all that was kept of it, and what would answer it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, delete, select, text, update

from .rows import key_of
from .schema import IS_OPEN, events, outbox, transcript
from .statements import Statement
from .values import Arrival, EventStatus, PieceStatus

log = structlog.get_logger()

_e, _o, _t = events.c, outbox.c, transcript.c
_of_outbox = (_o.account == bindparam("of_account"), _o.contact == bindparam("of_contact"))
_its_turn = select(_e.turn).where(_e.key == bindparam("of_key")).scalar_subquery()

_FORGET_LINES = Statement(
    delete(transcript).where(
        _t.account == bindparam("of_account"),
        _t.contact == bindparam("of_contact"),
        _t.role == "user",
        _t.turn == _its_turn,
    )
)
_WIPE = Statement(
    update(events)
    .where(_e.key == bindparam("of_key"))
    .values(status=EventStatus.UNSENT.value, payload=None)
)
_UNANSWERED = Statement(select(_o.turn).where(*_of_outbox, IS_OPEN, _o.turn == _its_turn).limit(1))
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
    .where(*_of_outbox, IS_OPEN, _o.turn == bindparam("of_turn"))
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
    turn = _UNANSWERED.value(connection, **of)
    # No index finds a turn's events; hardly ever does an answer wait so long.
    if turn is not None and _STILL_SAID.row(connection, of_turn=turn) is None:
        _DROP.run(connection, **key_of(arrival), of_turn=turn)
        log.info("reply.dropped", contact=arrival.contact, reason="the person took it back")
