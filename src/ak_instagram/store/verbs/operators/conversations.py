"""
Conversations as operators look for them: page by page, however many there are.

The latest come first, found by the latest events, since an index of conversations by time would
cost every message something. Each query looks at a bounded number of rows; a page may have fewer
conversations than were asked for and still not be the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, exists, func, select, text, tuple_

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_CLAIMABLE,
    IS_DEAD,
    IS_OPEN,
    IS_PAUSED,
    conversations,
    events,
    in_conversation,
    outbox,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import PieceStatus

MAX_ROWS = 2_000  # that one page looks at
_SCAN = 400  # events at once
_NO_ROW = 2**63 - 1  # an id, and a time, above all
MAX_ACCOUNTS = 100

_c, _e, _o = conversations.c, events.c, outbox.c


class State(StrEnum):
    """A filter of conversations by what goes on in them."""

    WAITING = "waiting"  # something is due, or will be
    RETRYING = "retrying"  # its latest attempt failed
    PAUSED = "paused"  # the bot is silent
    PARKED = "parked"  # an answer waits for the person
    DEAD = "dead"  # it has dead letters


@dataclass(frozen=True, slots=True)
class Conversation:
    """
    A conversation as it stands; times are UTC milliseconds.

    *paused_until* is 0, or when the bot's silence ends or ended; *paused_by* as
    `values.Silencer` has it. The 24 h window ends at *window_closes_at*. *due_at* is when there
    is work, `None` if nothing waits. *failures* are the failed attempts in a row. *waits_for* is
    `account` while that can't send. *is_held*: a worker is at it. *last_at* is when something
    last came in, `None` if that has been forgotten.
    """

    account: str
    contact: str
    paused_until: int
    paused_by: str | None
    window_closes_at: int
    due_at: int | None
    not_before: int
    failures: int
    waits_for: str | None
    is_held: bool
    session: int
    last_at: int | None = None


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Conversations, and the key after which the next page begins, `None` on the last."""

    conversations: tuple[Conversation, ...]
    next: tuple[int | str, ...] | None


_columns = (
    _c.account,
    _c.contact,
    _c.paused_until,
    _c.paused_by,
    _c.window_closes_at,
    _c.due_at,
    _c.not_before,
    _c.attempts,
    _c.waits_for,
    _c.lease_until > bindparam("now"),
    _c.epoch,
)
_ONE = Statement(select(*_columns).where(*in_conversation(conversations)))

_newer = events.alias("newer")
_later = (
    _newer.c.account == _e.account,
    _newer.c.contact == _e.contact,
    _newer.c.id > _e.id,
)
# Its conversation has no later one, be that settled or not. Word for word as the indices have it.
_is_latest = (
    ~exists().where(*_later, text("newer.status <> 'waiting' AND newer.status <> 'counted'")),
    ~exists().where(*_later, text("newer.status = 'waiting'")),
)
_LATEST = Statement(
    select(_e.id, _e.account, _e.contact, _e.received_at)
    .where(
        _e.id < bindparam("below"),
        _e.id >= bindparam("floor"),
        _e.status != "counted",
        *_is_latest,
    )
    .order_by(_e.id.desc())
    .limit(bindparam("limit"))
)
_scanned = (
    select(_e.id).where(_e.id < bindparam("below")).order_by(_e.id.desc()).limit(_SCAN).subquery()
)
_FLOOR = Statement(select(func.min(_scanned.c.id)))
_LAST_SETTLED = Statement(
    select(func.max(_e.id)).where(
        *in_conversation(events), text("status <> 'waiting' AND status <> 'counted'")
    )
)
_LAST_WAITING = Statement(
    select(func.max(_e.received_at)).where(*in_conversation(events), text("status = 'waiting'"))
)
_RECEIVED_AT = Statement(select(_e.received_at).where(_e.id == bindparam("id")))


def _after(*columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition for rows that come after the key that a page begins at."""
    key = [bindparam(f"after_{it.key}", type_=it.type) for it in columns]
    return tuple_(*columns) > tuple_(*key)


_WAITING = Statement(
    select(*_columns)
    .where(IS_CLAIMABLE, _after(_c.claimable_at, _c.account, _c.contact))
    .add_columns(_c.claimable_at)
    .order_by(_c.claimable_at, _c.account, _c.contact)
    .limit(bindparam("limit"))
)
_PAUSED = Statement(
    select(*_columns)
    .where(
        IS_PAUSED,
        _c.paused_until > bindparam("now"),
        _after(_c.paused_until, _c.account, _c.contact),
    )
    .add_columns(_c.paused_until)
    .order_by(_c.paused_until, _c.account, _c.contact)
    .limit(bindparam("limit"))
)
_open = select(_o.account, _o.contact, _o.status).where(IS_OPEN).limit(MAX_ROWS).subquery()
_PARKED = Statement(
    select(_open.c.account, _open.c.contact)
    .where(_open.c.status == PieceStatus.PARKED.value)
    .distinct()
)
_dead_events = select(_e.account, _e.contact).where(IS_DEAD).limit(MAX_ROWS)
_dead_pieces = select(_o.account, _o.contact).where(IS_DEAD).limit(MAX_ROWS)
_DEAD_EVENTS = Statement(_dead_events)
_DEAD_PIECES = Statement(_dead_pieces)
# The accounts that there are, one look-up each.
_NEXT_ACCOUNT = Statement(
    select(func.min(_c.account)).where(_c.account > bindparam("after", type_=Text))
)
_of_account = (_c.account == bindparam("account"), _c.contact > bindparam("after"))
_ALL_OF = Statement(
    select(_c.contact).where(*_of_account).order_by(_c.contact).limit(bindparam("limit"))
)
_THOSE_FROM = Statement(
    select(_c.contact)
    .where(*_of_account, _c.contact >= bindparam("first"))
    .order_by(_c.contact)
    .limit(bindparam("limit"))
)


def find_one(tx: Tx, account: str, contact: str) -> Conversation | None:
    """Return the conversation, `None` if nothing is stored of it."""
    row = _ONE.row(tx, account=account, contact=contact, now=tx.now)
    if row is None:
        return None
    key = {"account": account, "contact": contact}
    waiting: int | None = _LAST_WAITING.value(tx, **key)
    settled: int | None = _LAST_SETTLED.value(tx, **key)
    if settled is not None:
        settled = _RECEIVED_AT.value(tx, id=settled)
    last = max(filter(None, (waiting, settled)), default=None)
    return _conversation(row, last)


def find(
    tx: Tx,
    query: str = "",
    state: State | None = None,
    after: Sequence[int | str] = (),
    limit: int = 50,
) -> ConversationPage:
    """
    Return a page of at most *limit* conversations that come after the key *after*.

    *query* is an account's or a person's id, or how one begins; with it *state* is not looked at.
    """
    match state:
        case _ if query:
            return _by_id(tx, query, after, limit)
        case State.WAITING | State.RETRYING:
            return _by_time(tx, _WAITING, after, limit, retrying=state is State.RETRYING)
        case State.PAUSED:
            return _by_time(tx, _PAUSED, after, limit)
        case State.PARKED:
            return _chosen(tx, [(row[0], row[1]) for row in _PARKED.rows(tx)], after, limit)
        case State.DEAD:
            dead = {(row[0], row[1]) for it in (_DEAD_EVENTS, _DEAD_PIECES) for row in it.rows(tx)}
            return _chosen(tx, list(dead), after, limit)
        case _:
            return _latest(tx, after, limit)


def accounts(tx: Tx) -> list[str]:
    """Return the accounts that have conversations, at most `MAX_ACCOUNTS`."""
    found: list[str] = []
    while len(found) < MAX_ACCOUNTS:
        account: str | None = _NEXT_ACCOUNT.value(tx, after=found[-1] if found else "")
        if account is None:
            break
        found.append(account)
    return found


def _latest(tx: Tx, after: Sequence[int | str], limit: int) -> ConversationPage:
    """Return those in which something came in last, before the event *after*."""
    below = int(after[0]) if after else _NO_ROW
    found: list[Conversation] = []
    for _ in range(MAX_ROWS // _SCAN):
        floor = _FLOOR.value(tx, below=below)
        if floor is None:
            return ConversationPage(tuple(found), None)
        rows = _LATEST.rows(tx, below=below, floor=floor, limit=limit - len(found))
        for id_, account, contact, received_at in rows:
            row = _ONE.row(tx, account=account, contact=contact, now=tx.now)
            if row is not None:
                found.append(_conversation(row, received_at))
            below = id_
        if len(rows) and len(found) >= limit:
            return ConversationPage(tuple(found), (below,))
        below = floor
    return ConversationPage(tuple(found), (below,))


def _by_time(
    tx: Tx, statement: Statement, after: Sequence[int | str], limit: int, *, retrying: bool = False
) -> ConversationPage:
    """Return those that *statement* finds in the order of a time, from the key *after* on."""
    at, account, contact = after if len(after) == 3 else (-1, "", "")
    name = "claimable_at" if statement is _WAITING else "paused_until"
    key = {f"after_{name}": int(at), "after_account": account, "after_contact": contact}
    most = MAX_ROWS if retrying else limit
    rows = statement.rows(tx, **key, now=tx.now, limit=most)
    found: list[Conversation] = []
    for row in rows:
        conversation = _conversation(row, None)
        if not retrying or conversation.failures:
            found.append(conversation)
        if len(found) == limit:
            break
    is_all = len(rows) < most and row is rows[-1] if rows else True
    if is_all:
        return ConversationPage(tuple(found), None)
    return ConversationPage(tuple(found), (row[-1], row[0], row[1]))


def _chosen(
    tx: Tx, keys: Sequence[tuple[str, str]], after: Sequence[int | str], limit: int
) -> ConversationPage:
    """Return those of *keys* that come after the key *after*."""
    begin = (str(after[0]), str(after[1])) if len(after) == 2 else ("", "")
    left = sorted(key for key in keys if key > begin)
    found = [find_one(tx, *key) for key in left[:limit]]
    last = left[limit - 1] if len(left) > limit else None
    return ConversationPage(tuple(it for it in found if it is not None), last)


def _by_id(tx: Tx, query: str, after: Sequence[int | str], limit: int) -> ConversationPage:
    """Return those with a person or an account whose id begins with *query*."""
    begin = (str(after[0]), str(after[1])) if len(after) == 2 else ("", "")
    keys: list[tuple[str, str]] = []
    for account in accounts(tx):
        if account < begin[0] or len(keys) > limit:
            continue
        span = {"account": account, "after": begin[1] if account == begin[0] else ""}
        if account.startswith(query):
            rows = _ALL_OF.rows(tx, **span, limit=limit + 1)
        else:
            rows = _THOSE_FROM.rows(tx, **span, first=query, limit=limit + 1)
        # Ids are digits, which all databases sort alike: those that begin so lie together.
        those = (contact for (contact,) in rows)
        keys += [(account, it) for it in those if it.startswith(query) or account.startswith(query)]
    found = [find_one(tx, *key) for key in keys[:limit]]
    last = keys[limit - 1] if len(keys) > limit else None
    return ConversationPage(tuple(it for it in found if it is not None), last)


def _conversation(row: Sequence[Any], last_at: int | None) -> Conversation:
    values = [*row[:9], bool(row[9]), row[10], last_at]
    return Conversation(*values)
