"""
Leases: conversations are acquired, held, renewed and released.

A claim is a lease on a conversation with a fence: a number that rises with each claim, so
that an earlier holder can't write any more.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import starmap
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Text,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
    tuple_,
    update,
)

from ak_instagram.errors import LeaseLost
from ak_instagram.store.database import CHANNEL, Tx
from ak_instagram.store.schema import (
    IS_BLOCKED,
    IS_CLAIMABLE,
    IS_OPEN,
    IS_WAITING,
    conversations,
    events,
    in_conversation,
    outbox,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import MAX_CLAIMS, Claim, LeaseId, WaitReason

BEGINNING = ("", "")  # comes before every account and contact


class ClaimedRow(NamedTuple):
    """
    A row of `conversations` that is ours until this transaction ends; times are UTC ms.

    *due_at* is when there is work, `None` when there is none. *writing* is the answer that is
    being written, as `verbs.writing` has it. The rest is as in `Claim`.
    """

    account: str
    contact: str
    fence: int
    lease_owner: str | None
    lease_until: int
    due_at: int | None
    failures: int
    epoch: int
    window_closes_at: int
    paused_until: int
    referral: str | None
    spoke_at: int
    ad_window_closes_at: int
    writing: str | None

    @property
    def is_writing(self) -> bool:
        """Whether the answer is being written by who holds the conversation now."""
        return self.writing is not None and self.writing.startswith(f"{self.fence} ")


class Renewal(NamedTuple):
    """Leases that are *held* and are so *until* then; *last* is where the next part begins."""

    held: frozenset[LeaseId]
    until: int
    last: tuple[str, str] | None


_c = conversations.c
_key = in_conversation(conversations)
_row = (
    _c.account,
    _c.contact,
    _c.fence,
    _c.lease_owner,
    _c.lease_until,
    _c.due_at,
    _c.attempts.label("failures"),
    _c.epoch,
    _c.window_closes_at,
    _c.paused_until,
    _c.referral,
    _c.spoke_at,
    _c.ad_window_closes_at,
    _c.writing,
)

_due = (
    select(_c.account, _c.contact)
    .where(_c.claimable_at <= bindparam("now"))
    .order_by(_c.claimable_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_ACQUIRE = Statement(
    update(conversations)
    .where(
        tuple_(_c.account, _c.contact).in_(
            select(_due.c.account, _due.c.contact).limit(literal_column(str(MAX_CLAIMS)))
        )
    )
    .values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        fence=_c.fence + 1,
        burst_ends=None,
    )
    .returning(*_row)
)
_NEXT_DUE = Statement(select(func.min(_c.claimable_at)).where(IS_CLAIMABLE))
# Not by its owner as well, lest PostgreSQL look through all that the owner has held lately.
_HELD = Statement(select(*_row).where(*_key, _c.fence == bindparam("fence")).with_for_update())
_RELEASE = Statement(
    update(conversations)
    .where(*_key)
    .values(
        lease_owner=None,
        lease_until=0,
        attempts=bindparam("failures"),
        due_at=bindparam("due_at"),
        not_before=bindparam("not_before"),
        waits_for=bindparam("waits_for"),
        burst_ends=None,
    )
)
_POSTPONE = Statement(
    update(conversations)
    .where(*_key)
    .values(
        attempts=bindparam("failures"),
        due_at=bindparam("due_at"),
        not_before=bindparam("due_at"),
        waits_for=bindparam("waits_for"),
    )
)
# What comes in before this has locked the row is seen; what comes in later wakes it anew.
_FINISH = Statement(
    update(conversations)
    .where(
        *_key,
        ~exists().where(*in_conversation(events), IS_WAITING),
        ~exists().where(*in_conversation(outbox), IS_OPEN),
    )
    .values(
        lease_owner=None,
        lease_until=0,
        attempts=0,
        due_at=None,
        not_before=0,
        waits_for=None,
        burst_ends=None,
    )
)
_conversation = tuple_(_c.account, _c.contact)
_held_after = (
    _c.lease_owner == bindparam("owner"),
    _conversation
    > tuple_(bindparam("after_account", type_=Text), bindparam("after_contact", type_=Text)),
)
# The database itself says where a part of what is held ends: it may sort in another order.
_LAST_OF_PART = Statement(
    select(_c.account, _c.contact)
    .where(*_held_after)
    .order_by(_c.account, _c.contact)
    .offset(bindparam("others"))
    .limit(1)
)


def _renewal(*conditions: ColumnElement[bool]) -> Statement:
    """Return what renews the held conversations that come after one and meet *conditions*."""
    # Locked in the order in which webhooks lock them, so that neither blocks the other.
    part = (
        select(_c.account, _c.contact)
        .where(*_held_after, *conditions)
        .order_by(_c.account, _c.contact)
        .with_for_update()
        .cte("part")
    )
    return Statement(
        update(conversations)
        .where(_conversation.in_(select(part.c.account, part.c.contact)))
        .values(lease_until=bindparam("until"))
        .returning(_c.account, _c.contact, _c.fence)
    )


_RENEW_PART = _renewal(
    _conversation
    <= tuple_(bindparam("last_account", type_=Text), bindparam("last_contact", type_=Text))
)
_RENEW_REST = _renewal()
_RELEASE_ALL = Statement(
    update(conversations)
    .where(_c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=0)
)
_ABANDON = Statement(
    update(conversations)
    .where(*_key, _c.fence == bindparam("fence"), _c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=0)
)
_WAKE_ACCOUNT = Statement(
    update(conversations)
    .where(_c.account == bindparam("account"), IS_BLOCKED)
    .values(due_at=bindparam("now"), not_before=0, waits_for=None)
)
_UNBLOCK = Statement(
    update(conversations)
    .where(IS_BLOCKED)
    .values(due_at=bindparam("now"), not_before=0, waits_for=None)
)
_NOTIFY_POSTGRES = Statement(text("SELECT pg_notify(:channel, '')"))


def acquire(tx: Tx, limit: int) -> list[ClaimedRow]:
    """
    Lease due conversations that nobody holds, the oldest first.

    At most *limit* of them, and `MAX_CLAIMS`. In PostgreSQL's words the statement is this;
    SQLite's locks nothing:

        WITH due AS (
            SELECT account, contact FROM conversations
            WHERE claimable_at <= :now      -- there is work, and no lease but one that is over
            ORDER BY claimable_at           -- the longest wait ends first
            LIMIT :limit                    -- as much as the worker has room for
            FOR UPDATE SKIP LOCKED          -- another replica is claiming it just now
        )
        UPDATE conversations SET
            burst_ends = NULL,              -- a new message begins a new burst
            lease_owner = :owner,
            lease_until = :until,
            fence = (fence + 1)             -- an earlier holder can't write any more
        WHERE (account, contact) IN (
            SELECT account, contact FROM due
            LIMIT 32                        -- a constant, for a plan that is made for few rows
        )
        RETURNING account, contact, fence, lease_owner, lease_until, due_at,
            attempts AS failures, epoch, window_closes_at, paused_until, referral, spoke_at,
            ad_window_closes_at, writing
    """
    rows = _ACQUIRE.rows(
        tx,
        now=tx.now,
        limit=min(limit, MAX_CLAIMS),
        owner=tx.worker.owner,
        until=tx.now + tx.worker.lease_ms,
    )
    return list(starmap(ClaimedRow, rows))


def until_due(tx: Tx) -> int | None:
    """Return in how many milliseconds something can be claimed, `None` if nothing waits."""
    due: int | None = _NEXT_DUE.value(tx)
    return None if due is None else max(due - tx.now, 0)


def require(tx: Tx, claim: Claim) -> ClaimedRow:
    """Return the row of *claim*, or raise `LeaseLost` if it does not hold it any more."""
    row = _HELD.row(tx, account=claim.account, contact=claim.contact, fence=claim.fence)
    if row is not None:
        held = ClaimedRow(*row)
        if held.lease_owner == tx.worker.owner:
            return held
    raise LeaseLost(f"fence {claim.fence} is not the latest")


def finish(tx: Tx, row: ClaimedRow) -> bool:
    """Release the conversation if nothing waits in it; return whether that is so."""
    return _FINISH.run(tx, account=row.account, contact=row.contact) > 0


def release(
    tx: Tx,
    row: ClaimedRow,
    *,
    due_at: int | None,
    not_before: int = 0,
    failures: int = 0,
    wait_reason: WaitReason | None = None,
) -> None:
    """
    Release the conversation; it is due again at *due_at*, if ever.

    Before *not_before* no message hastens that. Both are in UTC ms. *failures* is how many
    there have been in a row.
    """
    _RELEASE.run(
        tx,
        account=row.account,
        contact=row.contact,
        failures=failures,
        due_at=due_at,
        not_before=not_before,
        waits_for=wait_reason.value if wait_reason is WaitReason.ACCOUNT else None,
    )
    if due_at is not None:
        tx.due_in.append(due_at - tx.now)


def postpone(
    tx: Tx, row: ClaimedRow, *, due_at: int, failures: int, wait_reason: WaitReason | None = None
) -> None:
    """Keep the conversation, in which nothing is to be sent before *due_at* (UTC ms)."""
    _POSTPONE.run(
        tx,
        account=row.account,
        contact=row.contact,
        failures=failures,
        due_at=due_at,
        waits_for=wait_reason.value if wait_reason is WaitReason.ACCOUNT else None,
    )


def renew(tx: Tx, after: tuple[str, str], at_once: int) -> Renewal:
    """
    Extend a part of what this process holds: *at_once* leases after the (account, contact).

    Call it from `BEGINNING` on, until nothing comes after that.
    """
    until = tx.now + tx.worker.lease_ms
    part = {"owner": tx.worker.owner, "after_account": after[0], "after_contact": after[1]}
    last = _LAST_OF_PART.row(tx, **part, others=at_once - 1)
    if last is None:
        rows = _RENEW_REST.rows(tx, **part, until=until)
        return Renewal(frozenset(LeaseId(*row) for row in rows), until, None)
    account, contact = last
    rows = _RENEW_PART.rows(tx, **part, last_account=account, last_contact=contact, until=until)
    return Renewal(frozenset(LeaseId(*row) for row in rows), until, (account, contact))


def release_all(tx: Tx) -> None:
    """Release everything that this process holds, as it is, so that nobody waits for its leases."""
    _RELEASE_ALL.run(tx, owner=tx.worker.owner)


def abandon(tx: Tx, lease_ids: Collection[LeaseId]) -> None:
    """Release the conversations of *lease_ids*, which are still due, for whoever is first."""
    for account, contact, fence in lease_ids:
        _ABANDON.run(tx, account=account, contact=contact, fence=fence, owner=tx.worker.owner)
    notify(tx)
    tx.due_in.append(0)


def wake_account(tx: Tx, account: str) -> int:
    """Make all conversations due that wait for *account*; return how many."""
    tx.due_in.append(0)
    return _WAKE_ACCOUNT.run(tx, account=account, now=tx.now)


def unblock(tx: Tx) -> int:
    """Make all conversations due that wait for any account; return how many."""
    tx.due_in.append(0)
    return _UNBLOCK.run(tx, now=tx.now)


def notify(tx: Tx) -> None:
    """Tell other replicas, once this transaction is committed, that there is work."""
    if tx.connection.dialect.name == "postgresql":
        _NOTIFY_POSTGRES.rows(tx, channel=CHANNEL)
