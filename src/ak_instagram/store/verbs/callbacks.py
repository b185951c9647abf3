"""
Callbacks: answers that an agent posts, to a turn that waits for them in the store.

    ask ──▶ awaited, until=NULL ──202──▶ awaited, until=T ──posted──▶ awaited, body ──▶ answered
              ▲      └───────────────posted before the 202───────────────▲
              └── failed, or overdue: it is asked again

The row is there before the agent is asked, so that a callback that comes before the 202, or after
a crash, finds it. The turn keeps its events and so its id until it is settled: what the person
writes meanwhile waits for the next one. Both sides lock the conversation before the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import bindparam, delete, exists, select, text, update

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_AWAITED,
    IS_WAITING,
    callbacks,
    conversations,
    events,
    in_conversation,
)
from ak_instagram.store.statement import Row, Statement
from ak_instagram.store.values import AwaitedAnswer, CallbackStatus

from . import claims

MAX_ROWS = 500  # that are forgotten in one transaction

_b = callbacks.c
_of_turn = (_b.turn == bindparam("turn"), IS_AWAITED)

_AWAITED = Statement(
    select(_b.turn, _b.events, _b.until, _b.body).where(*in_conversation(callbacks), IS_AWAITED)
)
# A turn that was given up and is replayed has a row already.
_EXPECT = Statement(
    text(
        """
    INSERT INTO callbacks (turn, account, contact, events, asked_at, until, body, status)
    VALUES (:turn, :account, :contact, :events, :now, NULL, NULL, 'awaited')
    ON CONFLICT (turn) DO UPDATE SET
        events = excluded.events, asked_at = excluded.asked_at,
        until = NULL, body = NULL, status = 'awaited'
    """
    )
)
_WAIT = Statement(
    update(callbacks).where(*_of_turn, _b.body.is_(None)).values(until=bindparam("until"))
)
_ASK_AGAIN = Statement(update(callbacks).where(*_of_turn).values(until=None, body=None))
_CLOSE = Statement(
    update(callbacks)
    .where(*in_conversation(callbacks), IS_AWAITED)
    .values(status=bindparam("end"), until=None, body=None)
)
_FIND = Statement(
    select(_b.account, _b.contact, _b.events, _b.status, _b.body.is_not(None)).where(
        _b.turn == bindparam("turn")
    )
)
_WAITING_IDS = Statement(select(events.c.id).where(*in_conversation(events), IS_WAITING))
_WAKE = Statement(
    update(conversations)
    .where(*in_conversation(conversations))
    .values(due_at=bindparam("now"), not_before=0)
)
_LOOK_AGAIN = Statement(
    update(conversations)
    .where(
        *in_conversation(conversations),
        exists().where(*in_conversation(callbacks), IS_AWAITED, _b.until.is_not(None)),
    )
    .values(due_at=bindparam("now"), not_before=0)
)
_PAUSED_UNTIL = Statement(
    select(conversations.c.paused_until).where(*in_conversation(conversations))
)
_TAKE = Statement(
    update(callbacks).where(*_of_turn, _b.body.is_(None)).values(body=bindparam("posted"))
)
_FORGET = Statement(
    delete(callbacks).where(
        _b.turn.in_(
            select(_b.turn)
            .where(_b.asked_at < bindparam("before"), _b.status != CallbackStatus.AWAITED.value)
            .limit(MAX_ROWS)
        ),
        _b.status != CallbackStatus.AWAITED.value,
    )
)


class Taken(StrEnum):
    """What became of something that was posted to a turn."""

    ACCEPTED = "accepted"  # it will be the answer
    REPEATED = "repeated"  # there is one already
    GONE = "gone"  # nobody waits for it: taken back, given up, or a person answers
    UNKNOWN = "unknown"


def awaited(tx: Tx, account: str, contact: str, waiting: Sequence[Row]) -> AwaitedAnswer | None:
    """
    Return the answer that the conversation waits for, if it still does.

    *waiting* are the events that wait, as (id, kind, mid, …). A turn of which the person has taken
    something back since, or which ended otherwise, waits no more.
    """
    row = _AWAITED.row(tx, account=account, contact=contact)
    if row is None:
        return None
    turn, ids, until, body = row
    asked = _ids(ids)
    unsent = {mid for id_, kind, mid, *_ in waiting if kind == "unsend" and id_ not in asked}
    mids = {mid for id_, kind, mid, *_ in waiting if kind != "unsend" and id_ in asked}
    if asked <= {it[0] for it in waiting} and mids.isdisjoint(unsent):
        return AwaitedAnswer(turn, asked, until, body)
    close(tx, account, contact, CallbackStatus.GONE)
    return None


def expect(tx: Tx, account: str, contact: str, turn: str, ids: Sequence[int]) -> AwaitedAnswer:
    """Write down that *turn* is about to be asked, so that its answer is known when it comes."""
    listed = ",".join(map(str, ids))
    _EXPECT.run(tx, account=account, contact=contact, turn=turn, events=listed, now=tx.now)
    return AwaitedAnswer(turn, frozenset(ids))


def wait(tx: Tx, turn: str, until: int) -> None:
    """Note that the agent has taken *turn*, unless its answer is here already."""
    _WAIT.run(tx, turn=turn, until=until)


def look_again(tx: Tx, account: str, contact: str) -> None:
    """Make the conversation due if it waits for an answer: it may be that nobody wants it now."""
    _LOOK_AGAIN.run(tx, account=account, contact=contact, now=tx.now)


def ask_again(tx: Tx, turn: str) -> None:
    """Let *turn* be asked anew; what was posted meanwhile is no answer."""
    _ASK_AGAIN.run(tx, turn=turn)


def close(tx: Tx, account: str, contact: str, end: CallbackStatus) -> None:
    """Wait no more in this conversation; the words of the answer are forgotten here."""
    _CLOSE.run(tx, account=account, contact=contact, end=end.value)


def take(tx: Tx, turn: str, body: str) -> Taken:
    """
    Store *body* as the answer to *turn*, and make its conversation due, on any replica.

    The first one counts.
    """
    row = _FIND.row(tx, turn=turn)
    if row is None:
        return Taken.UNKNOWN
    account, contact, ids, status, is_here = row
    key = {"account": account, "contact": contact}
    if status != CallbackStatus.AWAITED:
        return Taken.REPEATED if status == CallbackStatus.ANSWERED else Taken.GONE
    if is_here:
        return Taken.REPEATED
    if not _ids(ids) <= {id_ for (id_,) in _WAITING_IDS.rows(tx, **key)}:
        return Taken.GONE
    _WAKE.run(tx, **key, now=tx.now)
    tx.due_in.append(0)
    claims.notify(tx)
    if _PAUSED_UNTIL.value(tx, **key) > tx.now:
        return Taken.GONE  # now that it is due, its events end without an answer
    # Another one may have been faster.
    return Taken.ACCEPTED if _TAKE.run(tx, turn=turn, posted=body) else Taken.REPEATED


def forget(tx: Tx, before: int) -> int:
    """Forget some of the turns that were asked before then (UTC ms); return how many."""
    return _FORGET.run(tx, before=before)


def _ids(listed: str) -> frozenset[int]:
    return frozenset(map(int, listed.split(",")))
