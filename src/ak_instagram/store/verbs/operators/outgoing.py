"""Outgoing messages: what nobody was asked for joins the outbox, behind what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, case, insert, select, text, update

from ak_instagram.meta.outgoing import Outgoing
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_KNOWN_TO_META,
    IS_NOT_SENT,
    conversations,
    in_conversation,
    outbox,
    transcript,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import PieceKind
from ak_instagram.store.verbs import claims
from ak_instagram.store.verbs.outbox import append

_c, _o = conversations.c, outbox.c
_key = in_conversation(conversations)


class WritableState(NamedTuple):
    """A conversation for who wants to write in it: session, and when its windows close (UTC ms)."""

    epoch: int
    window_closes_at: int
    ad_window_closes_at: int


# From account to account, of which there are few, and not through all conversations.
_ACCOUNTS = Statement(
    text(
        """
    WITH RECURSIVE accounts (account) AS (
        SELECT min(account) FROM conversations
        UNION ALL
        SELECT (SELECT min(c.account) FROM conversations AS c WHERE c.account > accounts.account)
        FROM accounts WHERE accounts.account IS NOT NULL
    )
    SELECT c.account FROM accounts
    JOIN conversations AS c ON c.account = accounts.account AND c.contact = :contact
    LIMIT 2
    """
    )
)
# Locked from here on, in the order in which all others lock: before its pieces.
_STATE = Statement(
    select(_c.epoch, _c.window_closes_at, _c.ad_window_closes_at).where(*_key).with_for_update()
)
_of_turn = (*in_conversation(outbox), _o.turn == bindparam("turn"))
_WAITS = Statement(select(_o.id).where(*_of_turn, IS_NOT_SENT).limit(1))
_WENT = Statement(select(_o.id).where(*_of_turn, IS_KNOWN_TO_META).limit(1))
_NOTE = Statement(
    insert(transcript).values(
        {
            **{name: bindparam(name) for name in ("account", "contact", "epoch", "turn", "text")},
            "role": "assistant",
            "at": bindparam("now"),
        }
    )
)
# A wait that a failure has begun goes on; one that is over, or was for the person, ends.
_WAKE = Statement(
    update(conversations)
    .where(*_key)
    .values(
        due_at=case(
            (_c.not_before > bindparam("now"), _c.not_before),
            (_c.due_at < bindparam("now"), _c.due_at),
            else_=bindparam("now"),
        )
    )
)


def accounts_of(tx: Tx, contact: str) -> list[str]:
    """Return the accounts that *contact* has a conversation with, two at most."""
    return [account for (account,) in _ACCOUNTS.rows(tx, contact=contact)]


def state_of(tx: Tx, account: str, contact: str) -> WritableState | None:
    """Return the state of the conversation, `None` if it is not known; it is ours until the end."""
    row = _STATE.row(tx, account=account, contact=contact)
    return None if row is None else WritableState(*row)


def is_planned(tx: Tx, account: str, contact: str, turn: str) -> bool:
    """Return whether pieces of *turn* are in the outbox, whatever has become of them."""
    key = {"account": account, "contact": contact, "turn": turn}
    return _WAITS.row(tx, **key) is not None or _WENT.row(tx, **key) is not None


def plan(
    tx: Tx,
    account: str,
    contact: str,
    turn: str,
    messages: Sequence[Outgoing],
    *,
    said: str,
    epoch: int,
    by_person: bool,
) -> None:
    """
    Write *messages* down as the pieces of *turn*, behind all that waits, and wake who sends.

    *said* joins the transcript of the session *epoch*, so that an agent without a memory of
    its own knows of it.
    """
    key = {"account": account, "contact": contact}
    kind = PieceKind.BY_PERSON.value if by_person else None
    append(tx, account, contact, turn, messages, kind)
    if said:
        _NOTE.run(tx, **key, turn=turn, epoch=epoch, text=said, now=tx.now)
    _WAKE.run(tx, **key, now=tx.now)
    tx.due_in.append(0)
    claims.notify(tx)
