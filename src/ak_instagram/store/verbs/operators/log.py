"""The operator log: who changed what, and when; written in the transaction of the change."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import in_conversation, operations
from ak_instagram.store.statement import Row, Statement

_p = operations.c
_WRITE = Statement(
    insert(operations).values({it.name: bindparam(it.name) for it in _p if it.name != "id"})
)
_columns = (_p.id, _p.at, _p.who, _p.what, _p.account, _p.contact, _p.target)
_PAGE = Statement(
    select(*_columns)
    .where(_p.id < bindparam("below"))
    .order_by(_p.id.desc())
    .limit(bindparam("limit"))
)
_OF_CONVERSATION = Statement(
    select(*_columns)
    .where(*in_conversation(operations), _p.id < bindparam("below"))
    .order_by(_p.id.desc())
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Operation:
    """
    A change that an operator made at *at* (UTC ms).

    *who* is `admin`, or `command` for the command line. *target* is the turn, if it was about
    one.
    """

    id: int
    at: int
    who: str
    what: str
    account: str | None
    contact: str | None
    target: str | None


def write(
    tx: Tx,
    who: str,
    what: str,
    account: str | None = None,
    contact: str | None = None,
    target: str | None = None,
) -> None:
    """Write down that *who* did *what* now."""
    _WRITE.run(tx, at=tx.now, who=who, what=what, account=account, contact=contact, target=target)


def find(tx: Tx, below: int, limit: int) -> list[Operation]:
    """Return the latest *limit* operations whose ids are below *below*, latest first."""
    return _operations(_PAGE.rows(tx, below=below, limit=limit))


def find_of(tx: Tx, account: str, contact: str, below: int, limit: int) -> list[Operation]:
    """Return the same of one conversation."""
    key = {"account": account, "contact": contact}
    return _operations(_OF_CONVERSATION.rows(tx, **key, below=below, limit=limit))


def _operations(rows: Row) -> list[Operation]:
    return [Operation(*row) for row in rows]
