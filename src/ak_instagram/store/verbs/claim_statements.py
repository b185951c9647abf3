"""The statements that claim, hold and release conversations, and read what waits in them."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Text,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    tuple_,
    update,
)

from ak_instagram.store.schema import (
    IS_BLOCKED,
    IS_CLAIMABLE,
    IS_OPEN,
    IS_TAKEN_BACK,
    IS_WAITING,
    conversations,
    events,
    of_conversation,
    outbox,
    transcript,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import MAX_CLAIMS

MAX_EVENTS = 200  # of one turn; the rest makes the next

_c = conversations.c
_key = of_conversation(conversations)

_state = (
    _c.account,
    _c.contact,
    _c.fence,
    _c.attempts.label("failures"),
    _c.epoch,
    _c.window_closes_at,
    _c.paused_until,
    _c.lease_until,
)

_due = (
    select(_c.account, _c.contact)
    .where(_c.claimable_at <= bindparam("now"))
    .order_by(_c.claimable_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
# Written out, so that PostgreSQL knows how few they are: otherwise it would read the whole table.
_few = select(_due.c.account, _due.c.contact).limit(literal_column(str(MAX_CLAIMS)))
CLAIM = Statement(
    update(conversations)
    .where(tuple_(_c.account, _c.contact).in_(_few))
    .values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        fence=_c.fence + 1,
        burst_ends=None,
    )
    .returning(*_state)
)
NEXT_DUE = Statement(select(func.min(_c.claimable_at)).where(IS_CLAIMABLE))
_conversation = tuple_(_c.account, _c.contact)
_held_after = (
    _c.lease_owner == bindparam("owner"),
    _conversation > tuple_(bindparam("after_account", type_=Text), bindparam("after", type_=Text)),
)
# The database itself says where a part of what is held ends: it may sort in another order.
LAST_OF_PART = Statement(
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


RENEW_PART = _renewal(
    _conversation <= tuple_(bindparam("last_account", type_=Text), bindparam("last", type_=Text))
)
RENEW_REST = _renewal()
RELEASE_ALL = Statement(
    update(conversations)
    .where(_c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=0)
)
ABANDON = Statement(
    update(conversations)
    .where(*_key, _c.fence == bindparam("of_fence"), _c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=0)
)
# Not by its owner as well, lest PostgreSQL look through all that the owner has held lately.
HELD = Statement(
    select(*_state, _c.due_at, _c.lease_owner)
    .where(*_key, _c.fence == bindparam("of_fence"))
    .with_for_update()
)
PROGRESS = Statement(
    update(conversations).where(*_key).values(attempts=0, not_before=0, burst_ends=None)
)
RELEASE = Statement(
    update(conversations)
    .where(*_key)
    .values(
        lease_owner=None,
        lease_until=0,
        attempts=bindparam("failures"),
        due_at=bindparam("due"),
        not_before=bindparam("wait"),
        waits_for=bindparam("reason"),
        burst_ends=None,
    )
)
# What comes in before this has locked the row is seen; what comes in later wakes it anew.
FINISH = Statement(
    update(conversations)
    .where(
        *_key,
        ~exists().where(*of_conversation(events), IS_WAITING),
        ~exists().where(*of_conversation(outbox), IS_OPEN),
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
WAKE_ACCOUNT = Statement(
    update(conversations)
    .where(_c.account == bindparam("of_account"), IS_BLOCKED)
    .values(due_at=bindparam("now"), not_before=0, waits_for=None)
)
UNBLOCK = Statement(
    update(conversations)
    .where(IS_BLOCKED)
    .values(due_at=bindparam("now"), not_before=0, waits_for=None)
)
CLOSE_WINDOW = Statement(
    update(conversations).where(*_key).values(window_closes_at=bindparam("now"))
)
WAITING = Statement(
    select(
        events.c.id,
        events.c.kind,
        events.c.mid,
        events.c.at,
        events.c.payload,
        IS_TAKEN_BACK.label("is_unsent"),
    )
    .where(*of_conversation(events), IS_WAITING)
    .order_by(events.c.at, events.c.id)
    .limit(MAX_EVENTS)
)
LINES = Statement(
    select(transcript.c.role, transcript.c.text)
    .where(*of_conversation(transcript), transcript.c.epoch == bindparam("of_epoch"))
    .order_by(transcript.c.id.desc())
    .limit(bindparam("limit"))
)
