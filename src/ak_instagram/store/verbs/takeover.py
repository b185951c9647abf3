"""
Takeover: a person answers in the app, and the bot falls silent in that conversation.

Meta echoes everything that the account says, be it the bot's or a person's. An echo of a
piece that is being sent settles it; one of words that the outbox does not know is a person's,
unless nobody can have written it (see `automatic`).
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy import bindparam, delete, insert, select, text, update

from ak_instagram.meta.events import Event, Kind
from ak_instagram.meta.outgoing import attachment_key
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_KNOWN_TO_META,
    IS_NOT_SENT,
    IS_OPEN,
    IS_TAKEN_BACK,
    IS_WAITING,
    conversations,
    echoes,
    events,
    in_conversation,
    outbox,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import CLOCK_SLACK, WINDOW, EventStatus, PieceStatus, Silencer

from .automatic import SAME_WORDS, Automatic, automatic
from .operators import notifications, trail
from .operators.notifications import NotificationEvent
from .outbox import text_key

log = structlog.get_logger()

LATEST_ECHO = 600_000  # milliseconds after a try in which Meta may have said its piece
ECHOES_LIVE = 600_000  # milliseconds in which the same words to others are looked for

_o, _c, _e, _v = outbox.c, conversations.c, events.c, echoes.c
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
_settle = update(outbox).values(
    status=PieceStatus.SENT.value,
    message_id=bindparam("mid"),
    error=None,
    changed_at=bindparam("now"),
)
# Known without any clock: Meta's and the store's may be far apart.
_IN_FLIGHT = Statement(
    select(_o.id, _o.answers, _o.error)
    .where(
        *_in_outbox,
        IS_NOT_SENT,
        _o.status == PieceStatus.SENDING.value,
        _o.text_key == bindparam("text_key"),
    )
    .order_by(_o.id)
)
_SETTLE_IN_FLIGHT = Statement(_settle.where(_o.id == bindparam("id"), IS_NOT_SENT))
_ASKED_AT = Statement(select(_e.at).where(_e.id == bindparam("id")))
_SETTLE_TRIED = Statement(
    _settle.where(
        _o.id
        == select(_o.id)
        # Whatever Meta answered to a try: it has been said.
        .where(
            *_with_these_words,
            IS_NOT_SENT,
            _o.status != PieceStatus.SENDING.value,
            _o.tries > 0,
        )
        .order_by(_o.id)
        .limit(1)
        .scalar_subquery()
    )
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
_STATE = Statement(select(_c.window_closes_at, _c.paused_until).where(*_in_conversations))
_TOLD_OTHERS = Statement(
    select(_v.contact, _v.paused_until, _v.paused_before).where(
        _v.account == bindparam("account"),
        _v.text_key == bindparam("text_key"),
        _v.contact != bindparam("contact"),
        _v.at.between(bindparam("since"), bindparam("until")),
    )
)
_REMEMBER = Statement(insert(echoes).values({it.name: bindparam(it.name) for it in _v}))
_FORGET_ECHOES = Statement(delete(echoes).where(_v.heard_at < bindparam("before")))
# Only the silence that the same words began.
_LIFT = Statement(
    update(conversations)
    .where(*_in_conversations, _c.paused_until == bindparam("until"))
    # The disclosure may have been dropped meanwhile: it is told once more rather than not.
    .values(paused_until=bindparam("before"), spoke_at=0)
)
_PAUSE = Statement(
    text(
        """
    INSERT INTO conversations AS c (account, contact, paused_until, paused_by)
    VALUES (:account, :contact, :until, :by)
    ON CONFLICT (account, contact) DO UPDATE SET
        paused_by = CASE WHEN c.paused_until > excluded.paused_until
                    THEN c.paused_by ELSE excluded.paused_by END,
        paused_until = CASE WHEN c.paused_until > excluded.paused_until
                       THEN c.paused_until ELSE excluded.paused_until END
    RETURNING paused_until
    """
    )
)
_IS_KNOWN = Statement(select(_c.contact).where(*_in_conversations))
_SILENCED_BY = Statement(select(_c.paused_by).where(*_in_conversations))
# Its end is kept, which tells that the bot returns after a person.
_RESUME = Statement(
    update(conversations)
    .where(*_in_conversations, _c.paused_until > bindparam("now"))
    .values(paused_until=bindparam("now"))
)
_DROP = Statement(
    update(outbox)
    .where(*_in_outbox, IS_OPEN)
    .values(
        status=PieceStatus.DROPPED.value,
        error=bindparam("why"),
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
    update(events).where(*_waits).values(status=EventStatus.IGNORED.value, reason=bindparam("why"))
)


def is_news(tx: Tx, event: Event) -> bool:
    """Return whether *event* is not stored yet."""
    return _KNOWN.row(tx, key=event.key) is None


def hear(tx: Tx, event: Event) -> None:
    """
    Settle the piece that *event* echoes, or fall silent if a person has spoken.

    *event* is an echo, or what came in while another app answers (standby). What was said to
    several people at once is no person's: the silence that its first caused ends.
    """
    until = event.at + tx.worker.takeover_pause_ms
    if _settle_ours(tx, event) or until <= tx.now:
        return
    if event.kind is Kind.ECHO and (reason := _automatic(tx, event, until)):
        log.info("conversation.not_taken_over", contact=event.contact, reason=reason.value)
        trail.note(tx, event.account, event.contact, "not_taken_over", "echo", reason.value)
        return
    by = Silencer.PERSON if event.kind is Kind.ECHO else Silencer.APP
    if tx.worker.notifies:
        _note(tx, event, by)
    pause(tx, event.account, event.contact, until, by)
    drop(tx, event.account, event.contact, by)
    trail.note(tx, event.account, event.contact, "taken_over", by.value, by.reason)
    log.info("conversation.taken_over", contact=event.contact, by=event.kind.value)


def _note(tx: Tx, event: Event, by: Silencer) -> None:
    """Have an operator told that the bot falls silent, unless it is so already."""
    key = {"account": event.account, "contact": event.contact}
    _, paused_until = _STATE.row(tx, **key) or (0, 0)
    if paused_until <= tx.now:
        notifications.note(tx, NotificationEvent.TAKEN_OVER, **key, by=by.value, reason=by.reason)


def _automatic(tx: Tx, echo: Event, until: int) -> Automatic | None:
    """Return why nobody has written *echo*, and remember it with the silence until *until*."""
    key = {"account": echo.account, "contact": echo.contact}
    words = text_key(echo.echo_text or "")
    span = {"since": echo.at - SAME_WORDS, "until": echo.at + SAME_WORDS}
    others = _TOLD_OTHERS.rows(tx, **key, text_key=words, **span)
    closes, paused_before = _STATE.row(tx, **key) or (0, 0)
    reason = automatic(
        echo,
        min(echo.at, tx.now),
        closes - WINDOW if closes else None,
        told_others=bool(others),
        texts=tx.worker.automatic_texts,
    )
    _FORGET_ECHOES.run(tx, before=tx.now - ECHOES_LIVE)
    silence = {"paused_until": 0 if reason else until, "paused_before": paused_before}
    times = {"at": echo.at, "heard_at": tx.now}
    _REMEMBER.run(tx, key=echo.key, **key, text_key=words, **times, **silence)
    if reason is Automatic.TO_SEVERAL:
        for contact, caused, before in others:
            lifted = {"account": echo.account, "contact": contact, "before": before}
            if caused and _LIFT.run(tx, **lifted, until=caused):
                log.info("conversation.not_taken_over", contact=contact, reason=reason.value)
    return reason


def _settle_ours(tx: Tx, event: Event) -> bool:
    """Settle the piece that *event* echoes, if it is one of ours; return whether it is."""
    if event.echo_text is None or event.mid is None:
        return False
    if _OURS.row(tx, mid=event.mid):
        return True
    key = {"account": event.account, "contact": event.contact}
    # Words beside an attachment are of Meta's making: we send either.
    attached = event.echo_attachment
    said = {
        **key,
        "text_key": attachment_key(attached) if attached else text_key(event.echo_text),
    }
    bounds = {"planned_by": event.at + CLOCK_SLACK, "tried_after": event.at - LATEST_ECHO}
    outcome = {"mid": event.mid, "now": tx.now}
    if _settle_in_flight(tx, event, said, outcome) or _SETTLE_TRIED.run(
        tx, **said, **bounds, **outcome
    ):
        _HASTEN.run(tx, **key, now=tx.now)
        return True
    # Another replica may just have entered it.
    is_entered = _OURS.row(tx, mid=event.mid) is not None
    return is_entered or _SAID_AGAIN.row(tx, **said, **bounds) is not None


def _settle_in_flight(
    tx: Tx, event: Event, said: Mapping[str, str], outcome: Mapping[str, object]
) -> bool:
    """
    Settle the piece on its way that says what *event* echoes; return whether there is one.

    An answer is said after what it answers, and Meta's clock has the time of both. So the
    late echo of an earlier piece with the same words is not taken for this one's.
    """
    for id_, answers, error in _IN_FLIGHT.rows(tx, **said):
        asked = answers.rpartition(",")[2] if answers else None
        asked_at = _ASKED_AT.value(tx, id=int(asked)) if asked else None
        if (asked_at is None or event.at >= asked_at) and _SETTLE_IN_FLIGHT.run(
            tx, id=id_, **outcome
        ):
            if error is not None:  # the log's last word was that its outcome is unknown
                log.info("delivery.settled", contact=event.contact, reason="its echo came")
            return True
    return False


def is_known(tx: Tx, account: str, contact: str) -> bool:
    """Return whether anything is stored of the conversation."""
    return _IS_KNOWN.row(tx, account=account, contact=contact) is not None


def pause(tx: Tx, account: str, contact: str, until: int, by: Silencer) -> int:
    """Let the bot be silent until *until* (UTC ms) at least; return until when it is."""
    key = {"account": account, "contact": contact}
    paused_until: int = _PAUSE.value(tx, **key, until=until, by=by.value)
    return paused_until


def resume(tx: Tx, account: str, contact: str) -> bool:
    """Let the bot speak again; return whether it was silent."""
    key = {"account": account, "contact": contact}
    return _RESUME.run(tx, **key, now=tx.now) > 0


def silence(tx: Tx, account: str, contact: str) -> str:
    """Return why the bot is silent, in the log's words."""
    by = _SILENCED_BY.value(tx, account=account, contact=contact)
    return Silencer(by or Silencer.PERSON).reason


def drop(tx: Tx, account: str, contact: str, by: Silencer) -> None:
    """
    Drop the pieces that are not known as sent, because of *by*.

    One that is on its way can't be called back: if it arrives it is noted as sent, and
    if it does not, it is not tried again.
    """
    _DROP.run(tx, account=account, contact=contact, now=tx.now, why=by.reason)


def settle_unanswered(tx: Tx, account: str, contact: str) -> int:
    """
    Settle the events that wait without an answer, since the bot is silent; return how many.

    A message that came in after it had been taken back is forgotten.
    """
    _FORGET.run(tx, account=account, contact=contact)
    why = silence(tx, account, contact)
    return _LEAVE_UNANSWERED.run(tx, account=account, contact=contact, why=why)
