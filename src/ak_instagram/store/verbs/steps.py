"""
Steps: what happens next in a conversation, and the verbs that end a step.

A claim is for one step: a piece to be delivered, or else the events that wait, to be
answered. A verb that ends a step ends it and begins with the next in one transaction.
It returns that step's claim, or `None` when the conversation has been released: nothing
is due any more, or it has to wait. Every verb that takes a claim raises `errors.LeaseLost`
if another worker holds the conversation now.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from functools import partial
from itertools import filterfalse
from operator import attrgetter, itemgetter

import structlog
from sqlalchemy import bindparam, case, insert, select, update

from ak_instagram.meta.events import Kind
from ak_instagram.meta.outgoing import fallback_of
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_TAKEN_BACK,
    IS_UNSEND,
    IS_WAITING,
    conversations,
    events,
    in_conversation,
    transcript,
)
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import (
    WINDOW,
    AwaitedAnswer,
    CallbackStatus,
    Claim,
    EventStatus,
    FailedCall,
    Piece,
    PieceStatus,
    Silencer,
    StoredEvent,
    TranscriptLine,
    TurnResult,
    WaitReason,
)

from . import callbacks, claims, outbox, quotes, takeover, writing
from .claims import ClaimedRow
from .operators import notifications, trail
from .operators.notifications import NotificationEvent

log = structlog.get_logger()

MAX_EVENTS = 200  # of one turn; the rest makes the next
TAKEN_BACK = "the person took it back"
_OPENERS = frozenset({Kind.MESSAGE.value, Kind.POSTBACK.value})  # of the 24 h window

_e, _t = events.c, transcript.c
_WAITING = Statement(
    select(*(_e.id, _e.kind, _e.mid, _e.at, _e.payload, IS_TAKEN_BACK.label("is_unsent")), _e.turn)
    .where(*in_conversation(events), IS_WAITING)
    .order_by(_e.at, _e.id)
    .limit(MAX_EVENTS)
)
_WAITING_UNSENDS = Statement(
    select(_e.id, _e.mid).where(*in_conversation(events), IS_WAITING, IS_UNSEND)
)
_END = Statement(
    update(events)
    .where(_e.id == bindparam("id"))
    .values(status=bindparam("status"), reason=bindparam("reason"), turn=bindparam("turn"))
)
_WIPE = Statement(update(events).where(_e.id == bindparam("id")).values(payload=None))
_LATEST_LINES = Statement(
    select(_t.role, _t.text)
    .where(*in_conversation(transcript), _t.epoch == bindparam("epoch"))
    .order_by(_t.id.desc())
    .limit(bindparam("limit"))
)
_WRITE_LINE = Statement(
    insert(transcript).values(
        {
            name: bindparam(name)
            for name in ("account", "contact", "epoch", "turn", "role", "text", "at")
        }
    )
)
_PROGRESS = Statement(
    update(conversations)
    .where(*in_conversation(conversations))
    .values(attempts=0, not_before=0, burst_ends=None)
)
_FORGET_REFERRAL = Statement(
    # Another one may have come meanwhile.
    update(conversations)
    .where(*in_conversation(conversations), conversations.c.referral == bindparam("used"))
    .values(referral=None)
)
_START_OVER = Statement(
    update(conversations)
    .where(*in_conversation(conversations))
    .values(epoch=conversations.c.epoch + 1)
)
_CLOSE_WINDOW = Statement(
    update(conversations)
    .where(*in_conversation(conversations))
    .values(
        # By an ad's window the one of the last message may have closed long before.
        window_closes_at=case(
            (conversations.c.window_closes_at > bindparam("now"), bindparam("now")),
            else_=conversations.c.window_closes_at,
        ),
        ad_window_closes_at=0,
    )
)


# --- what happens next --------------------------------------------------------


def claim_due(tx: Tx, limit: int) -> list[Claim]:
    """
    Claim due conversations, the oldest first, each for its next step.

    At most *limit* of them, and `MAX_CLAIMS`.
    """
    steps = map(partial(begin_next_step, tx), claims.acquire(tx, limit))
    return list(filter(None, steps))


def next_step(tx: Tx, row: ClaimedRow, piece: Piece | None = None) -> Claim | None:
    """
    Return the next step of a conversation that made progress: *piece* if there is one.

    `None` means that nothing was due and the lease is released, both in this transaction:
    whatever arrives from now on makes the conversation due again. While an answer is being
    written the conversation is kept, though there be no piece.
    """
    if row.writing is not None and row.is_writing:
        if row.failures:
            _PROGRESS.run(tx, account=row.account, contact=row.contact)
        return _claim(row._replace(failures=0), piece=piece or outbox.begin_next_piece(tx, row))
    if piece is not None:
        step: Claim | None = _claim(row, piece=piece)
    elif row.writing is None and claims.finish(tx, row):
        return None  # as mostly
    else:
        step = begin_next_step(tx, row)
    if step is not None and (step.events or step.failures):
        _PROGRESS.run(tx, account=row.account, contact=row.contact)
        step = replace(step, failures=0) if step.failures else step
    return step


def begin_next_step(tx: Tx, row: ClaimedRow) -> Claim | None:
    """
    Begin with what is next in a conversation that is ours, or release it.

    First its next piece, which is written down as being sent; then the events that wait,
    unless a person answers: then they are settled without an answer. With nothing due,
    the conversation is released and `None` returned; so it is where the window is closed:
    nobody can be answered there, and the events become part of the turn that opens it. An answer
    that was being written under another claim has been cut off: it ends behind its pieces.
    """
    piece = outbox.begin_next_piece(tx, row)
    if piece is not None:
        return _claim(row, piece=piece)
    if row.writing is not None:
        turn = writing.Writing.read(row.writing).turn
        _note_dead_letter(tx, row, "turn", turn, writing.CUT_OFF)
        row = writing.cut_off(tx, row)
    key = {"account": row.account, "contact": row.contact}
    if row.paused_until > tx.now and takeover.settle_unanswered(tx, **key):
        log.info("turn.skipped", contact=row.contact, reason=takeover.silence(tx, **key))
    waiting = _WAITING.rows(tx, **key)
    awaited = callbacks.awaited(tx, **key, waiting=waiting) if tx.worker.turn_id else None
    if awaited is not None:
        if awaited.until is not None and awaited.until > tx.now and awaited.body is None:
            until = awaited.until
            claims.release(tx, row, due_at=until, not_before=until, failures=row.failures)
            return None
        waiting = [it for it in waiting if it[0] in awaited.events]
    elif not waiting or (row.due_at is not None and row.due_at > tx.now):
        claims.release(tx, row, due_at=row.due_at if waiting else None)
        return None
    elif tx.worker.replies_to_comments:
        # Each has a turn of its own, window or not.
        waiting = [it for it in waiting if it[1] == Kind.COMMENT.value][:1] or waiting
    is_closed = row.window_closes_at <= tx.now and row.ad_window_closes_at <= tx.now
    if is_closed and not _OPENERS.isdisjoint(map(itemgetter(1), waiting)):
        log.warning("turn.parked", contact=row.contact, reason="the 24 h window is closed")
        claims.release(tx, row, due_at=None)
        return None
    lines = (
        _LATEST_LINES.rows(tx, **key, epoch=row.epoch, limit=tx.worker.transcript_lines)
        if tx.worker.transcript_lines
        else ()
    )
    step = _claim(
        row,
        events=tuple(
            StoredEvent(id_, kind, mid, at, payload, bool(is_unsent), turn)
            for id_, kind, mid, at, payload, is_unsent, turn in waiting
        ),
        transcript=tuple(TranscriptLine(role, said) for role, said in reversed(lines)),
        quoted=quotes.quoted_by(tx, **key, asked=((it[1], it[4]) for it in waiting))
        if any(it[4] and quotes.MARK in it[4] for it in waiting)
        else None,
        awaited=awaited,
    )
    if tx.worker.turn_id is None or awaited is not None:
        return step
    ids = [event.id for event in step.events]
    return replace(step, awaited=callbacks.expect(tx, **key, turn=tx.worker.turn_id(step), ids=ids))


def _claim(
    row: ClaimedRow,
    *,
    piece: Piece | None = None,
    events: tuple[StoredEvent, ...] = (),
    transcript: tuple[TranscriptLine, ...] = (),
    quoted: Mapping[str, str] | None = None,
    awaited: AwaitedAnswer | None = None,
) -> Claim:
    return Claim(
        account=row.account,
        contact=row.contact,
        fence=row.fence,
        lease_until=row.lease_until,
        failures=row.failures,
        epoch=row.epoch,
        piece=piece,
        events=events,
        transcript=transcript,
        quotes=quoted or {},
        referral=row.referral if events else None,
        awaited=awaited,
        is_writing=row.writing is not None and row.is_writing,
    )


# --- the end of a turn --------------------------------------------------------


def settle(tx: Tx, claim: Claim, result: TurnResult) -> Claim | None:
    """
    End the turn's events, plan its answer, and return the next step.

    Nothing is settled if the person took back one of its messages meanwhile, unseen by the
    turn: the next step is then the turn anew. What was known as taken back when the claim was
    made is not answered anyway. Nothing is planned if a person has answered.

    If the answer goes on, the step says that it `is_writing`, and this is called again with
    what comes next of it; a step that does not say so means that nobody wants the rest.
    """
    ended = [
        {"id": id_, "status": end.value, "reason": result.reason, "turn": result.turn}
        for id_, end in result.events.items()
    ]
    row = claims.require(tx, claim)
    if turns := set(filter(None, map(attrgetter("turn"), claim.events))):  # a replay
        result = replace(result, messages=outbox.unsaid(tx, row, turns, result.messages))
    unsends = _WAITING_UNSENDS.rows(tx, account=row.account, contact=row.contact)
    if row.writing is not None:
        return _go_on(tx, row, claim, result, {mid for _, mid in unsends})
    unseen = set(map(itemgetter(1), filterfalse(lambda it: it[0] in result.events, unsends)))
    if unseen and any(it.mid in unseen and not it.is_unsent for it in claim.events):
        return next_step(tx, row)
    _END.run_many(tx, ended)
    if result.failed is not None:
        trail.note_failure(tx, claim, result.failed, result.turn)
    if tx.worker.turn_id is not None:
        is_answered = EventStatus.ANSWERED in result.events.values()
        end = CallbackStatus.ANSWERED if is_answered else CallbackStatus.GONE
        callbacks.close(tx, row.account, row.contact, end)
    if claim.referral is not None:
        _FORGET_REFERRAL.run(tx, account=row.account, contact=row.contact, used=claim.referral)
        row = row._replace(referral=None) if row.referral == claim.referral else row
    if tx.worker.notifies and EventStatus.DEAD in result.events.values():
        _note_dead_letter(tx, row, "turn", result.turn, result.reason)
    if result.starts_over:
        _START_OVER.run(tx, account=row.account, contact=row.contact)
        row = row._replace(epoch=row.epoch + 1)
    if EventStatus.UNSENT in result.events.values():
        _WIPE.run_many(tx, [it for it in ended if it["status"] == EventStatus.UNSENT])
    if result.goes_on and row.paused_until <= tx.now:
        row = writing.begin(tx, row, result)
    return next_step(tx, row, _plan_answer(tx, row, result))


def _go_on(
    tx: Tx, row: ClaimedRow, claim: Claim, result: TurnResult, unsent_mids: Set[str | None]
) -> Claim | None:
    """Plan what comes next of the answer that is being written, or end it."""
    is_silenced = row.paused_until > tx.now
    is_unwanted = is_silenced or writing.is_taken_back(claim, row, unsent_mids)
    if EventStatus.DEAD in result.events.values():
        writing.give_up(tx, result.events, result.reason)
    if is_unwanted or not result.goes_on:
        row = writing.end(tx, row)
    if is_unwanted:
        why = takeover.silence(tx, row.account, row.contact) if is_silenced else TAKEN_BACK
        log.info("answer.dropped", contact=row.contact, reason=why)
        return next_step(tx, row)
    if result.lines:
        writing.forget_said(tx, row, result.turn)
        said = tuple(line for line in result.lines if line.role == "assistant")
        result = replace(result, lines=said)
    failed = outbox.is_open(tx, row)
    if outbox.plan_after_giving_up(tx, row, result):
        result = replace(result, messages=())
    piece = _plan_answer(tx, row, result)
    if not failed:
        return next_step(tx, row, piece)
    # Nothing overtakes a piece that failed, and it is not tried before its time.
    if row.due_at is None or row.due_at <= tx.now:
        piece = outbox.begin_next_piece(tx, row)
        return next_step(tx, row) if piece is None else _claim(row, piece=piece)
    if row.writing is not None:
        return _claim(row)
    claims.release(tx, row, due_at=row.due_at, not_before=row.due_at, failures=row.failures)
    return None


def _plan_answer(tx: Tx, row: ClaimedRow, result: TurnResult) -> Piece | None:
    """
    Plan the answer, unless a person has taken over while the agent made it.

    For a turn that failed once more after a replay nothing is said again. Returns its
    first piece if that is the next step.
    """
    if row.paused_until > tx.now:
        reason = takeover.silence(tx, row.account, row.contact)
        log.info("answer.dropped", contact=row.contact, reason=reason)
        return None
    if EventStatus.DEAD in result.events.values() and outbox.has_said(tx, row, result.turn):
        return None
    piece = outbox.plan(tx, row, result)
    if result.lines:
        shared = {
            "account": row.account,
            "contact": row.contact,
            "epoch": row.epoch,
            "turn": result.turn,
            "at": tx.now,
        }
        _WRITE_LINE.run_many(
            tx, [{**shared, "role": line.role, "text": line.text} for line in result.lines]
        )
    if result.hands_over:
        until = tx.now + tx.worker.takeover_pause_ms
        takeover.pause(tx, row.account, row.contact, until, Silencer.HANDOFF)
        notifications.note(
            tx,
            NotificationEvent.HANDOFF,
            row.account,
            row.contact,
            turn=result.turn,
            reason=result.handoff,
        )
    return piece


# --- the end of a piece's attempt ---------------------------------------------


def sent(tx: Tx, claim: Claim, message_id: str) -> Claim | None:
    """Note that the claim's piece was sent, as *message_id*, and return the next step."""
    row = claims.require(tx, claim)
    outbox.mark_sent(tx, _piece_of(claim), message_id)
    return next_step(tx, row)


def give_up(tx: Tx, claim: Claim, why: str, failed: FailedCall | None = None) -> Claim | None:
    """Give up the claim's piece and what follows it in its answer, and return the next step."""
    row, piece = claims.require(tx, claim), _piece_of(claim)
    if failed is not None:
        trail.note_failure(tx, claim, failed)
    outbox.give_up(tx, row, piece, why)
    _note_dead_letter(tx, row, "answer", piece.turn, why)
    return next_step(tx, row)


def degrade(tx: Tx, claim: Claim, why: str, failed: FailedCall | None = None) -> Claim | None:
    """Put its fallback in the place of the claim's piece, and return the next step."""
    row, piece = claims.require(tx, claim), _piece_of(claim)
    if failed is not None:
        trail.note_failure(tx, claim, failed)
    outbox.replace(tx, row, piece, fallback_of(piece.message), why)
    return next_step(tx, row)


def close_window(tx: Tx, claim: Claim, why: str, failed: FailedCall | None = None) -> Claim | None:
    """
    Take the window for closed, as Meta does: park the piece, and return the next step.

    What the person said after the attempt has opened it again: that stands.
    """
    row, piece = claims.require(tx, claim), _piece_of(claim)
    if failed is not None:
        trail.note_failure(tx, claim, failed)
    outbox.mark_failed(tx, piece, PieceStatus.PLANNED, why)
    if piece.is_tagged:
        outbox.untag(tx, piece)
    if row.window_closes_at - WINDOW <= piece.tried_at:
        _CLOSE_WINDOW.run(tx, account=row.account, contact=row.contact, now=tx.now)
        row = row._replace(
            window_closes_at=min(row.window_closes_at, tx.now), ad_window_closes_at=0
        )
    return next_step(tx, row)


def sent_ids(tx: Tx, claim: Claim) -> frozenset[str]:
    """Return the ids under which Meta took this conversation's latest pieces."""
    return outbox.sent_ids(tx, claims.require(tx, claim))


def _note_dead_letter(tx: Tx, row: ClaimedRow, what: str, turn: str, reason: str | None) -> None:
    """Have an operator told that *what* there is of *turn* is a dead letter."""
    key = (row.account, row.contact)
    notifications.note(tx, NotificationEvent.DEAD_LETTER, *key, what=what, turn=turn, reason=reason)


def _piece_of(claim: Claim) -> Piece:
    if claim.piece is None:
        raise ValueError("the claim is for events, not for a piece")
    return claim.piece


# --- the end of either ----------------------------------------------------------


def retry(
    tx: Tx,
    claim: Claim,
    *,
    after: float,
    why: str,
    then: PieceStatus = PieceStatus.PLANNED,
    wait_reason: WaitReason | None = None,
    failed: FailedCall | None = None,
) -> None:
    """
    Release the conversation and come back in *after* seconds; messages don't hasten that.

    *then* is what becomes of the claim's piece: `SENDING` when it may have arrived. With a
    *wait_reason* the conversation is not to blame, and the wait uses up no attempt. *failed*
    is the call because of which that is so. A conversation whose answer is being written is
    kept: it waits when that has ended.
    """
    row = claims.require(tx, claim)
    if failed is not None:
        trail.note_failure(tx, claim, failed)
    if claim.piece is not None:
        outbox.mark_failed(tx, claim.piece, then, why)
    if claim.awaited is not None and wait_reason is None:
        callbacks.ask_again(tx, claim.awaited.turn)
    due_at = tx.now + int(after * 1000)
    if claim.piece is not None and row.is_writing:
        failures = row.failures + (wait_reason is None)
        claims.postpone(tx, row, due_at=due_at, failures=failures, wait_reason=wait_reason)
        return
    claims.release(
        tx,
        row,
        due_at=due_at,
        not_before=due_at,
        failures=row.failures + (wait_reason is None),
        wait_reason=wait_reason,
    )


def defer(tx: Tx, claim: Claim, seconds: float) -> Claim | None:
    """
    Let the conversation wait for an answer that the agent posts, overdue after *seconds*.

    It is released, and messages don't hasten that. Returns the next step if the answer is here
    already, or something else is due. Raises `ValueError` if the agent is none that posts.
    """
    row = claims.require(tx, claim)
    if claim.awaited is None:
        raise ValueError("the agent defers its answer, and is not Deferring")
    callbacks.wait(tx, claim.awaited.turn, tx.now + int(seconds * 1000))
    return begin_next_step(tx, row)
