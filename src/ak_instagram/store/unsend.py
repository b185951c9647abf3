"""What a person takes back is forgotten: its payload, and its line of the transcript."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select, update

from .rows import key_of
from .schema import events, transcript
from .statements import Statement
from .values import Arrival, EventStatus

_e, _t = events.c, transcript.c

_FORGET_LINES = Statement(
    delete(transcript).where(
        _t.account == bindparam("of_account"),
        _t.contact == bindparam("of_contact"),
        _t.role == "user",
        _t.turn == select(_e.turn).where(_e.key == bindparam("of_key")).scalar_subquery(),
    )
)
_WIPE = Statement(
    update(events)
    .where(_e.key == bindparam("of_key"))
    .values(status=EventStatus.UNSENT.value, payload=None)
)


def wipe(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Forget the messages that *arrivals* take back, answered or not."""
    for arrival in arrivals:
        if arrival.takes_back is not None:
            _FORGET_LINES.run(connection, **key_of(arrival), of_key=arrival.takes_back)
            _WIPE.run(connection, of_key=arrival.takes_back)
