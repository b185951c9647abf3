"""
Sweeps: messages that no webhook brought go into the inbox, once.

A row an account says how far its conversations have been looked through, and whose turn
it is: replicas share the work by `next_at`, which moves on while one of them is at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, text, update

from ak_instagram.meta.threads import Listed
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import events, outbox, sweeps
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import WINDOW

from . import claims, inbox

_s = sweeps.c
_of_account = _s.account == bindparam("account")

_MEET = Statement(
    text(
        """
    INSERT INTO sweeps (account, first_seen) VALUES (:account, :now)
    ON CONFLICT (account) DO NOTHING
    """
    )
)
_TAKE_TURN = Statement(
    update(sweeps)
    .where(_of_account, _s.next_at <= bindparam("now"))
    .values(next_at=bindparam("next_at"))
)
_PROGRESS = Statement(
    select(_s.first_seen, _s.swept_until, _s.round_began, _s.cursor).where(_of_account)
)
_SAVE = Statement(
    update(sweeps)
    .where(_of_account)
    .values(
        next_at=bindparam("next_at"),
        swept_until=bindparam("swept_until"),
        round_began=bindparam("round_began"),
        cursor=bindparam("cursor"),
    )
)
_KNOWN = Statement(select(events.c.id).where(events.c.key == bindparam("key")))
_OURS = Statement(select(outbox.c.id).where(outbox.c.message_id == bindparam("mid")).limit(1))


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far an account has been swept; times are UTC ms, by Meta's clock but for *first_seen*.

    What changed before *swept_until* has been looked at. A round that began at
    *round_began* goes on with the page behind *cursor*; without a cursor none is under way.
    """

    first_seen: int
    swept_until: int = 0
    round_began: int = 0
    cursor: str | None = None


def begin(tx: Tx, account: str, hold_ms: int, *, in_turn: bool = True) -> Progress | None:
    """
    Return how far *account* is, and keep others from it for *hold_ms*.

    `None` if it is not time yet, or another process is at it; not so if it need not be
    *in_turn*. The first call is when the account is first seen.
    """
    _MEET.run(tx, account=account, now=tx.now)
    due_by = tx.now if in_turn else 2**62
    if not _TAKE_TURN.run(tx, account=account, now=due_by, next_at=tx.now + hold_ms):
        return None
    row = _PROGRESS.row(tx, account=account)
    assert row is not None, "it has just been met"
    return Progress(*row)


def save(tx: Tx, account: str, progress: Progress, again_in_ms: int) -> None:
    """Write down how far *account* is; nobody goes on before *again_in_ms* have passed."""
    _SAVE.run(
        tx,
        account=account,
        next_at=tx.now + again_in_ms,
        swept_until=progress.swept_until,
        round_began=progress.round_began,
        cursor=progress.cursor,
    )


def take(tx: Tx, listed: Sequence[Listed]) -> int:
    """
    Store those of *listed* that are new and that nobody has answered; return how many.

    What the account said since is an answer, unless the service said it: that answered
    what it knew of. What is so old that no answer is allowed any more is left.
    """
    missed = [
        each.event
        for each in listed
        if each.event.at > tx.now - WINDOW
        and not any(_KNOWN.row(tx, key=key) for key in each.keys)
        and all(_OURS.row(tx, mid=mid) for mid in each.said_since)
    ]
    fresh = inbox.put(tx, missed) if missed else 0
    if fresh:
        tx.due_in.append(tx.worker.debounce_ms)
        claims.notify(tx)
    return fresh
