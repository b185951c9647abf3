"""
A person's data: exported and erased in every table that names people.

A table names people by its column `contact`. One that is new is covered by itself: its rows are
exported, and deleted. Of events the keys stay, without anything about the person, by which Meta's
repeats are known for as long as Meta may repeat them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Table,
    delete,
    select,
    text,
    update,
)

from ak_instagram import fast_json
from ak_instagram.meta.events import Kind
from ak_instagram.meta.keys import mid_key
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import conversations, deletions, events, metadata, outbox
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import EventStatus

ECHOES_COME = 2 * 86_400_000  # milliseconds after a piece in which Meta may echo it
NOBODY = ""  # in place of a person's id

_JSON = frozenset({"payload", "referral", "profile", "body"})  # columns that hold some

# Rows that outlive their person, and all that is left in them; others are deleted.
_KEPT: Mapping[Table, Mapping[str, object]] = {
    events: {
        "contact": NOBODY,
        "mid": None,
        "payload": None,
        "reason": None,
        "turn": None,
        "status": EventStatus.COUNTED.value,
    },
    deletions: {"contact": NOBODY},
}

_EXPECT = Statement(
    text(
        """
    INSERT INTO events (account, contact, kind, key, at, received_at, status)
    VALUES (:account, '', 'echo', :key, :now, :now, 'counted')
    ON CONFLICT (key) DO NOTHING
    """
    )
)


@dataclass(frozen=True, slots=True)
class Erased:
    """
    The result of an erasure: how many *rows* it was, and whose is yet to come.

    *busy* are the people whose conversation is being worked on: nothing of theirs is erased.
    *sessions* are the accounts, contacts and latest session epochs of those who had one.
    """

    rows: int
    busy: frozenset[str] = frozenset()
    sessions: tuple[tuple[str, str, int], ...] = ()


def tables() -> tuple[Table, ...]:
    """Return the tables that name people."""
    return tuple(table for table in metadata.sorted_tables if "contact" in table.c)


def export(tx: Tx, contact: str, account: str | None = None) -> dict[str, list[dict[str, object]]]:
    """
    Return all rows about the person *contact*, with *account* alone if it is named, by table.

    Empty if there is none.
    """
    found: dict[str, list[dict[str, object]]] = {}
    for table in tables():
        columns = [column for column in table.c if column.computed is None]
        query = select(*columns).where(*_of(table, [contact], account)).order_by(*table.primary_key)
        rows = tx.connection.execute(query).mappings()
        if told := [{name: _readable(name, row[name]) for name in row} for row in rows]:
            found[table.name] = told
    return found


def _readable(column: str, value: object) -> object:
    """Return a *value* of *column*, JSON as what it says."""
    if column in _JSON and isinstance(value, str):
        return fast_json.load_object(value) or value
    return value


def contacts_of(tx: Tx, account: str) -> list[str]:
    """Return everybody of whom anything is stored with *account*."""
    found: set[str] = set()
    for table in tables():
        if "account" in table.c:
            rows = select(table.c.contact).where(table.c.account == account).distinct()
            found.update(tx.connection.execute(rows).scalars())
    return sorted(found - {NOBODY})


def erase(tx: Tx, contacts: Sequence[str], account: str | None = None) -> Erased:
    """
    Erase what is stored of *contacts*, with *account* alone if it is named.

    Whoever is being answered just now is left as they are, for another try. What Meta repeats
    later of what has been erased is known and not answered; what they write anew is.
    """
    busy, sessions = _look_at_conversations(tx, contacts, account)
    chosen = [contact for contact in contacts if contact not in busy]
    if not chosen:
        return Erased(0, busy)
    _expect_echoes(tx, chosen, account)
    rows = 0
    for table in tables():
        is_theirs = _of(table, chosen, account)
        kept = _KEPT.get(table)
        erasing = (
            delete(table).where(*is_theirs)
            if kept is None
            else update(table).where(*is_theirs).values(**kept)
        )
        rows += tx.connection.execute(erasing).rowcount
    return Erased(rows, busy, tuple(each for each in sessions if each[1] not in busy))


def _of(
    table: Table, contacts: Collection[str], account: str | None
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the rows of *table* about *contacts*."""
    theirs = table.c.contact.in_(contacts)
    if account is None or "account" not in table.c:
        return (theirs,)
    return theirs, table.c.account == account


def _look_at_conversations(
    tx: Tx, contacts: Sequence[str], account: str | None
) -> tuple[frozenset[str], list[tuple[str, str, int]]]:
    """Lock the conversations of *contacts*; return who is busy, and the session of each."""
    c = conversations.c
    query = (
        select(c.account, c.contact, c.epoch, c.lease_owner, c.lease_until)
        .where(*_of(conversations, contacts, account))
        .order_by(c.account, c.contact)  # as webhooks lock them
        .with_for_update()
    )
    rows = tx.connection.execute(query).all()
    busy = frozenset(
        row.contact for row in rows if row.lease_owner is not None and row.lease_until > tx.now
    )
    return busy, [(row.account, row.contact, row.epoch) for row in rows]


def _expect_echoes(tx: Tx, contacts: Sequence[str], account: str | None) -> None:
    """Know the echoes of what was just sent when they come: they are no person's answer."""
    o = outbox.c
    sent = select(o.account, o.message_id).where(
        *_of(outbox, contacts, account),
        o.message_id.is_not(None),
        o.changed_at > tx.now - ECHOES_COME,
    )
    for row in tx.connection.execute(sent).all():
        key = mid_key(Kind.ECHO, row.account, row.message_id)
        _EXPECT.run(tx, account=row.account, key=key, now=tx.now)
