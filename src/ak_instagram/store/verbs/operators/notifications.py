"""
Notifications: what an operator is to be told, written down with what it tells of.

Each is a row until it was told or given up, and then for a day, so that what several
processes notice at once is told once. None holds a message's text.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, text, update

from ak_instagram import fast_json
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import IS_TO_BE_TOLD, notifications
from ak_instagram.store.statement import Statement

AT_ONCE = 20  # notifications that are taken at a time
ONCE_IN = 3_600_000  # milliseconds in which a stopped account is told of once
KEPT = 86_400_000  # milliseconds that a notification is known after it was told


class NotificationEvent(StrEnum):
    """What a notification tells of."""

    HANDOFF = "handoff"  # a person is asked for, by the agent or the person
    TAKEN_OVER = "taken_over"  # a person, or another app, answers
    ACCOUNT_STOPPED = "account_stopped"  # it can't send until somebody acts
    DEAD_LETTER = "dead_letter"  # a turn or an answer was given up


class Notification(NamedTuple):
    """A notification to be told: *body* is its JSON, *attempt* counts from 1."""

    id: str
    event: str
    account: str
    contact: str
    body: str
    attempt: int


_n = notifications.c

_NOTE = Statement(
    text(
        """
    INSERT INTO notifications (id, event, account, contact, body, at, due_at)
    VALUES (:id, :event, :account, :contact, :body, :now, :now)
    ON CONFLICT (id) DO NOTHING
    """
    )
)
_DUE = Statement(
    select(_n.id, _n.event, _n.account, _n.contact, _n.body, (_n.tries + 1).label("attempt"))
    .where(IS_TO_BE_TOLD, _n.due_at <= bindparam("now"))
    .order_by(_n.due_at)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)
_TAKE = Statement(
    update(notifications)
    .where(_n.id == bindparam("id"))
    .values(due_at=bindparam("until"), tries=_n.tries + 1)
)
_RETRY = Statement(
    update(notifications).where(_n.id == bindparam("id")).values(due_at=bindparam("due_at"))
)
_END = Statement(
    update(notifications).where(_n.id == bindparam("id")).values(due_at=None, body="", contact="")
)
_FORGET = Statement(delete(notifications).where(_n.due_at.is_(None), _n.at < bindparam("before")))


def note(
    tx: Tx, event: NotificationEvent, account: str, contact: str = "", **fields: str | None
) -> None:
    """
    Have an operator told of *event*, with further *fields*, if there is anybody to tell.

    *contact* is the person's IGSID, empty if it is about the whole account.
    """
    if tx.worker.notifies:
        _note(tx, uuid.uuid4().hex, event, account, contact, fields)


def note_account_stopped(tx: Tx, account: str, error_class: str, reason: str) -> None:
    """Have an operator told that *account* can't send; once an hour, whoever notices."""
    name = f"{account}/{error_class}/{tx.now // ONCE_IN}"
    id_ = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    fields: dict[str, str | None] = {"error_class": error_class, "reason": reason}
    _note(tx, id_, NotificationEvent.ACCOUNT_STOPPED, account, "", fields)


def _note(
    tx: Tx,
    id_: str,
    event: NotificationEvent,
    account: str,
    contact: str,
    fields: dict[str, str | None],
) -> None:
    at = datetime.fromtimestamp(tx.now / 1000, UTC).isoformat(timespec="milliseconds")
    known = {"id": id_, "event": event.value, "at": at, "account": account, "contact": contact}
    told = {name: value for name, value in (known | fields).items() if value}
    key = {"id": id_, "event": event.value, "account": account, "contact": contact}
    _NOTE.run(tx, **key, body=fast_json.dump(told).decode(), now=tx.now)


def take_due(tx: Tx, lease_ms: int) -> list[Notification]:
    """Take the notifications that are due; another process gets them when *lease_ms* are over."""
    due = [Notification(*row) for row in _DUE.rows(tx, now=tx.now)]
    _TAKE.run_many(tx, [{"id": it.id, "until": tx.now + lease_ms} for it in due])
    return due


def retry(tx: Tx, id_: str, after: float) -> None:
    """Have the notification tried again in *after* seconds."""
    _RETRY.run(tx, id=id_, due_at=tx.now + int(after * 1000))


def end(tx: Tx, id_: str) -> None:
    """Note that the notification was told, or given up; what is old is forgotten."""
    _END.run(tx, id=id_)
    _FORGET.run(tx, before=tx.now - KEPT)
