"""
Who speaks for the account: we, or a person in the app.

Meta echoes everything that the account says, whoever said it. An echo of a piece
that we are sending settles it; one that we know nothing of is a person's, and the
bot falls silent in that conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, exists, select, text, update

from .rows import OfConversation, key_of
from .schema import conversations, events, outbox
from .text_key import text_key
from .values import Arrival, EventStatus, PieceStatus

log = structlog.get_logger()

LATEST_ECHO = 600_000  # milliseconds after a try in which its echo may come

_o, _c, _e = outbox.c, conversations.c, events.c
_of_outbox = (_o.account == bindparam("of_account"), _o.contact == bindparam("of_contact"))
_of_conversations = (_c.account == bindparam("of_account"), _c.contact == bindparam("of_contact"))

_KNOWN_KEYS = select(_e.key).where(_e.key.in_(bindparam("keys", expanding=True)))
_IS_OURS = select(exists().where(_o.message_id == bindparam("mid")))
_IN_FLIGHT = (
    select(_o.id)
    .where(
        *_of_outbox,
        _o.text_key == bindparam("of_text"),
        # Whatever Meta answered to a try: it has been said.
        _o.status != PieceStatus.SENT.value,
        _o.tries > 0,
        _o.changed_at >= bindparam("earliest"),
    )
    .order_by(_o.id)
    .limit(1)
    .scalar_subquery()
)
_SETTLE = (
    update(outbox)
    .where(_o.id == _IN_FLIGHT)
    .values(status=PieceStatus.SENT.value, message_id=bindparam("mid"), changed_at=bindparam("now"))
)
# What waited for the outcome need not wait any longer.
_HASTEN = (
    update(conversations)
    .where(*_of_conversations, _c.not_before > bindparam("now"), _c.waits_for.is_(None))
    .values(due_at=bindparam("now"), not_before=0)
)
_PAUSE = text(
    """
    INSERT INTO conversations AS c (account, contact, paused_until)
    VALUES (:of_account, :of_contact, :until)
    ON CONFLICT (account, contact) DO UPDATE SET
        paused_until = CASE WHEN c.paused_until > excluded.paused_until
                       THEN c.paused_until ELSE excluded.paused_until END
    """
)
_RESUME = update(conversations).where(*_of_conversations).values(paused_until=0)
_DROP = (
    update(outbox)
    .where(*_of_outbox, _o.status.in_([PieceStatus.PLANNED.value, PieceStatus.PARKED.value]))
    .values(
        status=PieceStatus.DROPPED.value,
        error="a person answered",
        changed_at=bindparam("now"),
    )
)
_HUSH = (
    update(events)
    .where(
        _e.account == bindparam("of_account"),
        _e.contact == bindparam("of_contact"),
        _e.status == EventStatus.WAITING.value,
    )
    .values(status=EventStatus.IGNORED.value, reason="a person answers")
)


def fresh_voices(connection: Connection, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return the echoes and standby events among *arrivals* that are not stored yet."""
    voices = [it for it in arrivals if it.echo_text is not None or it.is_standby]
    if not voices:
        return []
    keys = [voice.key for voice in voices]
    known = set(connection.execute(_KNOWN_KEYS, {"keys": keys}).scalars())
    return [voice for voice in voices if voice.key not in known]


def hear(connection: Connection, now: int, voices: Sequence[Arrival], pause: int) -> None:
    """Settle the pieces that *voices* echo; fall silent for *pause* ms where a person speaks."""
    for voice in voices:
        if not _is_ours(connection, now, voice):
            _take_over(connection, now, voice, voice.at + pause)


def _is_ours(connection: Connection, now: int, voice: Arrival) -> bool:
    if voice.echo_text is None:
        return False
    if connection.execute(_IS_OURS, {"mid": voice.mid}).scalar():
        return True
    of = {**key_of(voice), "mid": voice.mid, "now": now, "earliest": now - LATEST_ECHO}
    settled = connection.execute(_SETTLE, {**of, "of_text": text_key(voice.echo_text)}).rowcount
    if settled:
        connection.execute(_HASTEN, of)
    return settled > 0


def _take_over(connection: Connection, now: int, voice: Arrival, until: int) -> None:
    if until <= now:
        return
    pause(connection, voice, until)
    drop(connection, now, voice)
    log.info("conversation.taken_over", contact=voice.contact, by=voice.kind)


def pause(connection: Connection, of: OfConversation, until: int) -> None:
    """Let the bot be silent until *until* (UTC ms) at least."""
    connection.execute(_PAUSE, {**key_of(of), "until": until})


def resume(connection: Connection, of: OfConversation) -> bool:
    """Let the bot speak again; return whether the conversation is known."""
    return connection.execute(_RESUME, key_of(of)).rowcount > 0


def drop(connection: Connection, now: int, of: OfConversation) -> None:
    """Give up the pieces that have not been tried yet."""
    connection.execute(_DROP, {**key_of(of), "now": now})


def hush(connection: Connection, of: OfConversation) -> int:
    """Settle what waits without an answer, since a person answers; return how much it was."""
    return connection.execute(_HUSH, key_of(of)).rowcount
