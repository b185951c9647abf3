"""
Who speaks for the account: we, or a person in the app.

Meta echoes everything that the account says, whoever said it. An echo of a piece
that we are sending settles it; one that we know nothing of is a person's, and the
bot falls silent in that conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, case, exists, select, text, update

from .rows import OfConversation, key_of
from .schema import IS_NOT_SENT, IS_OPEN, IS_WAITING, conversations, events, outbox
from .statements import Statement
from .text_key import text_key
from .values import Arrival, EventStatus, PieceStatus

log = structlog.get_logger()

LATEST_ECHO = 600_000  # milliseconds after a try in which Meta may have said its piece
CLOCK_SLACK = 60_000  # milliseconds that Meta's clock may be behind ours

_o, _c, _e = outbox.c, conversations.c, events.c
_of_outbox = (_o.account == bindparam("of_account"), _o.contact == bindparam("of_contact"))
_of_conversations = (_c.account == bindparam("of_account"), _c.contact == bindparam("of_contact"))

_KNOWN = Statement(select(_e.id).where(_e.key == bindparam("key")))
_OURS = Statement(select(_o.id).where(_o.message_id == bindparam("mid")).limit(1))
_IN_FLIGHT = (
    select(_o.id)
    .where(
        *_of_outbox,
        _o.text_key == bindparam("of_text"),
        # Whatever Meta answered to a try: it has been said.
        IS_NOT_SENT,
        _o.tries > 0,
        # By the time at which it was said: the echo itself may come hours later.
        _o.planned_at <= bindparam("planned"),
        _o.changed_at >= bindparam("earliest"),
    )
    # What is on its way rather than what was given up and says the same.
    .order_by(case((_o.status == PieceStatus.SENDING.value, 0), else_=1), _o.id)
    .limit(1)
    .scalar_subquery()
)
_SETTLE = Statement(
    update(outbox)
    .where(_o.id == _IN_FLIGHT)
    .values(status=PieceStatus.SENT.value, message_id=bindparam("mid"), changed_at=bindparam("now"))
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
_waits = (
    _e.account == bindparam("of_account"),
    _e.contact == bindparam("of_contact"),
    IS_WAITING,
)
_unsends = events.alias("unsends")
_FORGET = Statement(
    update(events)
    .where(
        *_waits,
        _e.kind != "unsend",
        exists().where(
            _unsends.c.account == _e.account,
            _unsends.c.contact == _e.contact,
            _unsends.c.mid == _e.mid,
            text("unsends.kind = 'unsend'"),
        ),
    )
    .values(status=EventStatus.UNSENT.value, payload=None)
)
_HUSH = Statement(
    update(events)
    .where(*_waits)
    .values(status=EventStatus.IGNORED.value, reason="a person answers")
)


def fresh_voices(connection: Connection, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return the echoes and standby events among *arrivals* that are not stored yet."""
    voices = [it for it in arrivals if it.echo_text is not None or it.is_standby]
    return [voice for voice in voices if _KNOWN.row(connection, key=voice.key) is None]


def hear(connection: Connection, now: int, voices: Sequence[Arrival], pause: int) -> None:
    """Settle the pieces that *voices* echo; fall silent for *pause* ms where a person speaks."""
    for voice in voices:
        if not _is_ours(connection, now, voice):
            _take_over(connection, now, voice, voice.at + pause)


def _is_ours(connection: Connection, now: int, voice: Arrival) -> bool:
    if voice.echo_text is None:
        return False
    if voice.mid is None:
        return False
    if _OURS.row(connection, mid=voice.mid):
        return True
    settled = _SETTLE.run(
        connection,
        **key_of(voice),
        of_text=text_key(voice.echo_text),
        mid=voice.mid,
        now=now,
        planned=voice.at + CLOCK_SLACK,
        earliest=voice.at - LATEST_ECHO,
    )
    if settled:
        _HASTEN.run(connection, **key_of(voice), now=now)
        return True
    # Another replica may just have entered it.
    return _OURS.row(connection, mid=voice.mid) is not None


def _take_over(connection: Connection, now: int, voice: Arrival, until: int) -> None:
    if until <= now:
        return
    pause(connection, voice, until)
    drop(connection, now, voice)
    log.info("conversation.taken_over", contact=voice.contact, by=voice.kind)


def pause(connection: Connection, of: OfConversation, until: int) -> int:
    """Let the bot be silent until *until* (UTC ms) at least; return until when it is."""
    paused_until: int = _PAUSE.value(connection, **key_of(of), until=until)
    return paused_until


def resume(connection: Connection, of: OfConversation) -> bool:
    """Let the bot speak again; return whether the conversation is known."""
    return _RESUME.run(connection, **key_of(of)) > 0


def drop(connection: Connection, now: int, of: OfConversation) -> None:
    """
    Give up the pieces that are not known as sent.

    One that is on its way can't be called back: if it arrives it is noted as sent, and
    if it does not, it is not tried again.
    """
    _DROP.run(connection, **key_of(of), now=now)


def hush(connection: Connection, of: OfConversation) -> int:
    """
    Settle what waits without an answer, since a person answers; return how much it was.

    A message that came in after it had been taken back is forgotten.
    """
    _FORGET.run(connection, **key_of(of))
    return _HUSH.run(connection, **key_of(of))
