"""
Who speaks for the account: we, or a person in the app.

Meta echoes everything that the account says, whoever said it. An echo of a piece
that we are sending settles it; one that we know nothing of is a person's, and the
bot falls silent in that conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, case, select, text, update

from ak_instagram.meta.events import Event
from ak_instagram.store.schema import (
    IS_KNOWN_TO_META,
    IS_NOT_SENT,
    IS_OPEN,
    IS_TAKEN_BACK,
    IS_WAITING,
    conversations,
    events,
    of_conversation,
    outbox,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import (
    CLOCK_SLACK,
    ConversationKey,
    EventStatus,
    PieceStatus,
    key_of,
)
from ak_instagram.text import digest

log = structlog.get_logger()

LATEST_ECHO = 600_000  # milliseconds after a try in which Meta may have said its piece

_o, _c, _e = outbox.c, conversations.c, events.c
_of_outbox, _of_conversations = of_conversation(outbox), of_conversation(conversations)

_KNOWN = Statement(select(_e.id).where(_e.key == bindparam("key")))
_OURS = Statement(select(_o.id).where(_o.message_id == bindparam("mid")).limit(1))
# Pieces with these words, at the time at which they were said: the echo may come hours later.
_with_these_words = (
    *_of_outbox,
    _o.text_key == bindparam("of_text"),
    _o.planned_at <= bindparam("planned"),
    _o.changed_at >= bindparam("earliest"),
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
    .where(*_of_conversations, _c.not_before > bindparam("now"), _c.waits_for.is_(None))
    .values(due_at=bindparam("now"), not_before=0)
)
_PAUSE = Statement(
    text(
        """
    INSERT INTO conversations AS c (account, contact, paused_until)
    VALUES (:of_account, :of_contact, :until)
    ON CONFLICT (account, contact) DO UPDATE SET
        paused_until = CASE WHEN c.paused_until > excluded.paused_until
                       THEN c.paused_until ELSE excluded.paused_until END
    RETURNING paused_until
    """
    )
)
_IS_KNOWN = Statement(select(_c.contact).where(*_of_conversations))
_RESUME = Statement(update(conversations).where(*_of_conversations).values(paused_until=0))
_DROP = Statement(
    update(outbox)
    .where(*_of_outbox, IS_OPEN)
    .values(
        status=PieceStatus.DROPPED.value,
        error="a person answered",
        changed_at=bindparam("now"),
    )
)
_waits = (*of_conversation(events), IS_WAITING)
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


def fresh_echoes_and_standby(connection: Connection, arrivals: Sequence[Event]) -> list[Event]:
    """Return the echoes and standby events among *arrivals* that are not stored yet."""
    said = [it for it in arrivals if it.echo_text is not None or it.is_standby]
    return [arrival for arrival in said if _KNOWN.row(connection, key=arrival.key) is None]


def apply(
    connection: Connection, now: int, echoes_and_standby: Sequence[Event], pause_for: int
) -> None:
    """Settle the pieces that are echoed; be silent for *pause_for* ms where a person speaks."""
    for arrival in echoes_and_standby:
        if not _claim_as_ours(connection, now, arrival):
            _take_over(connection, now, arrival, arrival.at + pause_for)


def _claim_as_ours(connection: Connection, now: int, arrival: Event) -> bool:
    """Settle the piece that *arrival* echoes, if it is one of ours; return whether it is."""
    if arrival.echo_text is None or arrival.mid is None:
        return False
    if _OURS.row(connection, mid=arrival.mid):
        return True
    words = {
        **key_of(arrival),
        "of_text": digest(arrival.echo_text),
        "planned": arrival.at + CLOCK_SLACK,
        "earliest": arrival.at - LATEST_ECHO,
    }
    if _SETTLE.run(connection, **words, mid=arrival.mid, now=now):
        _HASTEN.run(connection, **key_of(arrival), now=now)
        return True
    # Another replica may just have entered it.
    is_entered = _OURS.row(connection, mid=arrival.mid) is not None
    return is_entered or _SAID_AGAIN.row(connection, **words) is not None


def _take_over(connection: Connection, now: int, arrival: Event, until: int) -> None:
    if until <= now:
        return
    pause(connection, arrival, until)
    drop(connection, now, arrival)
    log.info("conversation.taken_over", contact=arrival.contact, by=arrival.kind)


def is_known(connection: Connection, of: ConversationKey) -> bool:
    """Return whether anything is stored of the conversation."""
    return _IS_KNOWN.row(connection, **key_of(of)) is not None


def pause(connection: Connection, of: ConversationKey, until: int) -> int:
    """Let the bot be silent until *until* (UTC ms) at least; return until when it is."""
    paused_until: int = _PAUSE.value(connection, **key_of(of), until=until)
    return paused_until


def resume(connection: Connection, of: ConversationKey) -> bool:
    """Let the bot speak again; return whether the conversation is known."""
    return _RESUME.run(connection, **key_of(of)) > 0


def drop(connection: Connection, now: int, of: ConversationKey) -> None:
    """
    Drop the pieces that are not known as sent.

    One that is on its way can't be called back: if it arrives it is noted as sent, and
    if it does not, it is not tried again.
    """
    _DROP.run(connection, **key_of(of), now=now)


def settle_unanswered(connection: Connection, of: ConversationKey) -> int:
    """
    Settle what waits without an answer, since a person answers; return how much it was.

    A message that came in after it had been taken back is forgotten.
    """
    _FORGET.run(connection, **key_of(of))
    return _LEAVE_UNANSWERED.run(connection, **key_of(of))
