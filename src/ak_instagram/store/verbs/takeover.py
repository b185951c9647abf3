"""
Takeover: a person answers in the app, and the bot falls silent in that conversation.

Meta echoes everything that the account says, be it the bot's or a person's. An echo of a
piece that is being sent settles it; one of words that the outbox does not know is a person's.
"""

from __future__ import annotations

import structlog
from sqlalchemy import bindparam, case, select, text, update

from ak_instagram.meta.events import Event
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_KNOWN_TO_META,
    IS_NOT_SENT,
    IS_OPEN,
    IS_TAKEN_BACK,
    IS_WAITING,
    conversations,
    events,
    in_conversation,
    outbox,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import CLOCK_SLACK, EventStatus, PieceStatus

from .outbox import text_key

log = structlog.get_logger()

LATEST_ECHO = 600_000  # milliseconds after a try in which Meta may have said its piece

_o, _c, _e = outbox.c, conversations.c, events.c
_in_outbox, _in_conversations = in_conversation(outbox), in_conversation(conversations)

_KNOWN = Statement(select(_e.id).where(_e.key == bindparam("key")))
_OURS = Statement(select(_o.id).where(_o.message_id == bindparam("mid")).limit(1))
# Pieces with these words, at the time at which they were said: the echo may come hours later.
_with_these_words = (
    *_in_outbox,
    _o.text_key == bindparam("text_key"),
    _o.planned_at <= bindparam("planned_by"),
    _o.changed_at >= bindparam("tried_after"),
)
_in_flight = (
    select(_o.id)
    # Whatever Meta answered to a try: it has been said.
    .where(*_with_these_words, IS_NOT_SENT, _o.tries > 0)
    # What is on its way rather than what was given up and says the same.
    .order_by(case((_o.status == PieceStatus.SENDING.value, 0), else_=1), _o.id)
    .limit(1)
    .scalar_subquery()
)
_SETTLE = Statement(
    update(outbox)
    .where(_o.id == _in_flight)
    .values(status=PieceStatus.SENT.value, message_id=bindparam("mid"), changed_at=bindparam("now"))
)
# Of each try that arrived there is an echo, and the piece is known by one of them.
_SAID_AGAIN = Statement(
    select(_o.id).where(*_with_these_words, IS_KNOWN_TO_META, _o.tries > 1).limit(1)
)
# What waited for the outcome need not wait any longer.
_HASTEN = Statement(
    update(conversations)
    .where(*_in_conversations, _c.not_before > bindparam("now"), _c.waits_for.is_(None))
    .values(due_at=bindparam("now"), not_before=0)
)
_PAUSE = Statement(
    text(
        """
    INSERT INTO conversations AS c (account, contact, paused_until)
    VALUES (:account, :contact, :until)
    ON CONFLICT (account, contact) DO UPDATE SET
        paused_until = CASE WHEN c.paused_until > excluded.paused_until
                       THEN c.paused_until ELSE excluded.paused_until END
    RETURNING paused_until
    """
    )
)
_IS_KNOWN = Statement(select(_c.contact).where(*_in_conversations))
_RESUME = Statement(update(conversations).where(*_in_conversations).values(paused_until=0))
_DROP = Statement(
    update(outbox)
    .where(*_in_outbox, IS_OPEN)
    .values(
        status=PieceStatus.DROPPED.value,
        error="a person answered",
        changed_at=bindparam("now"),
    )
)
_waits = (*in_conversation(events), IS_WAITING)
_FORGET = Statement(
    update(events)
    .where(*_waits, _e.kind != "unsend", IS_TAKEN_BACK)
    .values(status=EventStatus.UNSENT.value, payload=None)
)
_LEAVE_UNANSWERED = Statement(
    update(events)
    .where(*_waits)
    .values(status=EventStatus.IGNORED.value, reason="a person answers")
)


def is_news(tx: Tx, event: Event) -> bool:
    """Return whether *event* is not stored yet."""
    return _KNOWN.row(tx, key=event.key) is None


def hear(tx: Tx, event: Event) -> None:
    """
    Settle the piece that *event* echoes, or fall silent if a person has spoken.

    *event* is an echo, or what came in while another app answers (standby).
    """
    until = event.at + tx.worker.takeover_pause_ms
    if not _settle_ours(tx, event) and until > tx.now:
        pause(tx, event.account, event.contact, until)
        drop(tx, event.account, event.contact)
        log.info("conversation.taken_over", contact=event.contact, by=event.kind.value)


def _settle_ours(tx: Tx, event: Event) -> bool:
    """Settle the piece that *event* echoes, if it is one of ours; return whether it is."""
    if event.echo_text is None or event.mid is None:
        return False
    if _OURS.row(tx, mid=event.mid):
        return True
    key = {"account": event.account, "contact": event.contact}
    words = {
        **key,
        "text_key": text_key(event.echo_text),
        "planned_by": event.at + CLOCK_SLACK,
        "tried_after": event.at - LATEST_ECHO,
    }
    if _SETTLE.run(tx, **words, mid=event.mid, now=tx.now):
        _HASTEN.run(tx, **key, now=tx.now)
        return True
    # Another replica may just have entered it.
    is_entered = _OURS.row(tx, mid=event.mid) is not None
    return is_entered or _SAID_AGAIN.row(tx, **words) is not None


def is_known(tx: Tx, account: str, contact: str) -> bool:
    """Return whether anything is stored of the conversation."""
    return _IS_KNOWN.row(tx, account=account, contact=contact) is not None


def pause(tx: Tx, account: str, contact: str, until: int) -> int:
    """Let the bot be silent until *until* (UTC ms) at least; return until when it is."""
    paused_until: int = _PAUSE.value(tx, account=account, contact=contact, until=until)
    return paused_until


def resume(tx: Tx, account: str, contact: str) -> bool:
    """Let the bot speak again; return whether the conversation is known."""
    return _RESUME.run(tx, account=account, contact=contact) > 0


def drop(tx: Tx, account: str, contact: str) -> None:
    """
    Drop the pieces that are not known as sent.

    One that is on its way can't be called back: if it arrives it is noted as sent, and
    if it does not, it is not tried again.
    """
    _DROP.run(tx, account=account, contact=contact, now=tx.now)


def settle_unanswered(tx: Tx, account: str, contact: str) -> int:
    """
    Settle the events that wait without an answer, since a person answers; return how many.

    A message that came in after it had been taken back is forgotten.
    """
    _FORGET.run(tx, account=account, contact=contact)
    return _LEAVE_UNANSWERED.run(tx, account=account, contact=contact)
