"""
Disclosure: people are told that a machine answers, before it does.

The line is planned in the transaction that plans the answer, so that neither goes without
the other, whatever crashes. It is due before the first answer to a person, when so long
nothing was answered, and when the bot returns after a person. A line that was planned and
never sent, since its answer was given up or taken back, is due again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, exists, or_, update

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import IS_NOT_SENT, conversations, in_conversation, outbox
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import PieceKind, PieceStatus

from .claims import ClaimedRow

_c, _o = conversations.c, outbox.c
_key = in_conversation(conversations)

_SPOKE = Statement(update(conversations).where(*_key).values(spoke_at=bindparam("now")))
_UNTELL = Statement(update(conversations).where(*_key).values(spoke_at=0))
_TAKE_BACK = Statement(
    update(conversations)
    .where(
        *_key,
        exists().where(
            *in_conversation(outbox),
            IS_NOT_SENT,
            _o.turn == bindparam("turn"),
            _o.kind == PieceKind.DISCLOSURE.value,
            or_(*(_o.status == it.value for it in (PieceStatus.DEAD, PieceStatus.DROPPED))),
        ),
    )
    .values(spoke_at=0)
)


def is_due(tx: Tx, row: ClaimedRow) -> bool:
    """
    Return whether the person has to be told (again) before the answer that is planned now.

    Notes that the bot speaks: call it once for each answer, and plan the line if it is due.
    """
    due = (
        not row.spoke_at
        or tx.now - row.spoke_at >= tx.worker.disclosure_gap_ms
        or row.paused_until > row.spoke_at  # a person, or another app, has answered since
    )
    _SPOKE.run(tx, account=row.account, contact=row.contact, now=tx.now)
    return due


def take_back(tx: Tx, account: str, contact: str, turn: str | None) -> None:
    """Take the line of *turn* as not told, if its piece was dropped or given up."""
    if turn is not None and (tx.worker.disclosure or tx.worker.disclosures):
        _TAKE_BACK.run(tx, account=account, contact=contact, turn=turn)


def untell(tx: Tx, people: Iterable[Sequence[str]]) -> None:
    """Take the line as not told to *people*, each an account and a contact."""
    _UNTELL.run_many(tx, [{"account": account, "contact": contact} for account, contact in people])
