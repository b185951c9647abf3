"""Requests to delete data: kept until they are done, and known by their code after that."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, text, update

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import IS_TO_BE_DONE, deletions
from ak_instagram.store.statement import Statement

KNOWN_FOR = 90 * 86_400_000  # milliseconds that a request can be looked after once it is done

_d = deletions.c
_ASK = Statement(
    text(
        """
    INSERT INTO deletions (code, account, contact, asked_at)
    VALUES (:code, :account, :contact, :now)
    ON CONFLICT (code) DO NOTHING
    """
    )
)
_PENDING = Statement(
    select(_d.code, _d.account, _d.contact).where(IS_TO_BE_DONE).order_by(_d.asked_at)
)
_FINISH = Statement(
    update(deletions)
    .where(_d.code == bindparam("of"), IS_TO_BE_DONE)
    .values(account="", contact="", done_at=bindparam("now"))
)
_FIND = Statement(select(_d.asked_at, _d.done_at).where(_d.code == bindparam("code")))
_FORGET = Statement(delete(deletions).where(_d.done_at < bindparam("before")))


@dataclass(frozen=True, slots=True)
class Deletion:
    """
    A request that is not done yet: for all data of *account*, or, if that is empty, of *contact*.

    The latter is an id that Meta gave, of a person or of an account that was not known then.
    """

    code: str
    account: str
    contact: str


@dataclass(frozen=True, slots=True)
class DeletionStatus:
    """When a request was made and when it was done, `None` if it is not; UTC ms."""

    asked_at: int
    done_at: int | None


def ask(tx: Tx, deletion: Deletion) -> bool:
    """Write *deletion* down; return whether it is a new one."""
    its = {"code": deletion.code, "account": deletion.account, "contact": deletion.contact}
    return _ASK.run(tx, **its, now=tx.now) > 0


def pending(tx: Tx) -> list[Deletion]:
    """Return the requests that are not done, oldest first."""
    return [Deletion(*row) for row in _PENDING.rows(tx)]


def finish(tx: Tx, code: str) -> None:
    """Note that the request *code* is done, and forget whose it was."""
    _FINISH.run(tx, of=code, now=tx.now)


def status(tx: Tx, code: str) -> DeletionStatus | None:
    """Return what became of the request *code*, `None` if there was none."""
    row = _FIND.row(tx, code=code)
    return None if row is None else DeletionStatus(*row)


def forget(tx: Tx) -> int:
    """Forget what was done long ago; return how many requests that was."""
    return _FORGET.run(tx, before=tx.now - KNOWN_FOR)
