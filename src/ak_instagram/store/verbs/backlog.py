"""The backlog: what waits in the store, in figures that cost little however much it is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, exists, func, or_, select

from ak_instagram.meta.events import Kind
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import IS_DEAD, IS_OPEN, conversations, events, outbox
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import PieceStatus

MAX_ROWS = 2_000  # of each kind that are looked at: webhooks wait for it too
LATEST = 100  # events by whose times the clocks are compared
ENOUGH = 5  # of them that have to look old before Meta's clock is said to be behind

_c, _e, _o = conversations.c, events.c, outbox.c


def _count_turns(dead: Select[str]) -> Statement:
    turns = dead.where(IS_DEAD).distinct().limit(MAX_ROWS).subquery()
    return Statement(select(func.count()).select_from(turns))


# A blocked account is no backlog, and where a person answers nobody waits for the bot.
_due = (
    select(_c.claimable_at)
    .where(
        _c.claimable_at <= bindparam("now"),
        _c.waits_for.is_(None),
        _c.paused_until <= bindparam("now"),
    )
    .order_by(_c.claimable_at)
    .limit(MAX_ROWS)
    .subquery()
)
_DUE = Statement(select(func.count(), func.min(_due.c.claimable_at)))
_open = select(_o.status).where(IS_OPEN).limit(MAX_ROWS).subquery()
_PARKED = Statement(
    select(func.count()).select_from(_open).where(_open.c.status == PieceStatus.PARKED.value)
)
_DEAD_TURNS = _count_turns(select(_e.turn))
# Of a dead turn it is only the apology that could not be sent.
_DEAD_ANSWERS = _count_turns(select(_o.turn).where(~exists().where(_e.turn == _o.turn, IS_DEAD)))
_newest_id = select(func.max(_e.id)).correlate(None).scalar_subquery()
_NEWEST = Statement(select(_e.received_at).where(_e.id == _newest_id))
# Meta may tell hours later what has happened: the freshest event counts.
_CLOCKS = Statement(
    select(func.count(), func.max(_e.at - _e.received_at)).where(
        _e.id > _newest_id - LATEST,
        or_(*(_e.kind == it.value for it in (Kind.MESSAGE, Kind.POSTBACK, Kind.ECHO))),
    )
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """
    What waits in the store; a number of `MAX_ROWS` means so many or more.

    *due* conversations could be worked on and are not, the first of them for *overdue*
    milliseconds. *parked* pieces wait for the person. *dead_turns* and *dead_answers*
    are the dead letters. *newest* is when the latest event was stored, in UTC
    milliseconds, `None` if there is none. By the freshest of the latest events Meta's clock
    is *clock_ahead* milliseconds ahead of the store's, `None` if that can't be told.
    """

    due: int
    overdue: int
    parked: int
    dead_turns: int
    dead_answers: int
    newest: int | None
    clock_ahead: int | None = None


def measure(tx: Tx) -> Backlog:
    """Return what waits now."""
    due, since = _DUE.row(tx, now=tx.now) or (0, None)
    events_seen, clock_ahead = _CLOCKS.row(tx) or (0, None)
    if clock_ahead is not None and clock_ahead < 0 and events_seen < ENOUGH:
        clock_ahead = None  # a few may just be late
    return Backlog(
        due=due,
        overdue=0 if since is None else tx.now - since,
        parked=_PARKED.value(tx),
        dead_turns=_DEAD_TURNS.value(tx),
        dead_answers=_DEAD_ANSWERS.value(tx),
        newest=_NEWEST.value(tx),
        clock_ahead=clock_ahead,
    )
