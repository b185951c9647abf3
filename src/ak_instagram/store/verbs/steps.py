"""The verbs that end a step of a turn; each checks the fence and says what comes next."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, bindparam, insert, select, update

from ak_instagram.store.schema import IS_UNSEND, IS_WAITING, events, of_conversation, transcript
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import (
    WINDOW,
    Claim,
    ClaimedRow,
    EventStatus,
    Piece,
    PieceStatus,
    TurnResult,
    WaitReason,
    key_of,
)

from . import outbox as ledger
from . import takeover
from .claims import Leases

log = structlog.get_logger()

_e, _t = events.c, transcript.c
_END = Statement(
    update(events)
    .where(_e.id == bindparam("event"))
    .values(status=bindparam("ending"), reason=bindparam("why"), turn=bindparam("of_turn"))
)
_WIPE = Statement(update(events).where(_e.id == bindparam("event")).values(payload=None))
_WAITING_UNSENDS = Statement(
    select(_e.id, _e.mid).where(*of_conversation(events), IS_WAITING, IS_UNSEND)
)
_WRITE_LINE = Statement(
    insert(transcript).values(
        {
            name: bindparam(name)
            for name in ("account", "contact", "epoch", "turn", "role", "text", "at")
        }
    )
)


@dataclass(frozen=True, slots=True)
class Turns:
    """
    How the steps of a turn end; every verb raises `LeaseLost` when *claim* is not the holder.

    *pause* is how long the bot is silent after it has handed over, in milliseconds.
    """

    leases: Leases
    pause: int

    def settle(
        self, connection: Connection, now: int, claim: Claim, turn_result: TurnResult
    ) -> Claim | None:
        """
        End the turn's events, plan its answer, and return the next step.

        Nothing is settled if the person took back one of its messages meanwhile: the
        next step is then the turn anew.
        """
        held = self.leases.held(connection, claim)
        if _is_outdated(connection, claim, turn_result):
            return self.leases.next_step(connection, now, held)
        _end_events(connection, turn_result)
        piece = self._plan(connection, now, held, turn_result)
        return self.leases.next_step(connection, now, held, piece)

    def sent(self, connection: Connection, now: int, claim: Claim, message_id: str) -> Claim | None:
        """Note that the claim's piece was sent, and return the next step."""
        held = self.leases.held(connection, claim)
        ledger.mark_sent(connection, now, _piece_of(claim).id, message_id)
        return self.leases.next_step(connection, now, held)

    def give_up(self, connection: Connection, now: int, claim: Claim, why: str) -> Claim | None:
        """Give up the claim's piece and what follows it in its turn, and return the next step."""
        held = self.leases.held(connection, claim)
        ledger.give_up(connection, now, held, _piece_of(claim), why)
        return self.leases.next_step(connection, now, held)

    def close_window(
        self, connection: Connection, now: int, claim: Claim, why: str
    ) -> Claim | None:
        """
        Take the 24 h window for closed, as Meta does, and return the next step.

        What the person said after the try has opened it again: that stands.
        """
        held, piece = self.leases.held(connection, claim), _piece_of(claim)
        ledger.mark_failed(connection, piece.id, PieceStatus.PLANNED, why)
        if held.window_closes_at - WINDOW <= piece.tried_at:
            self.leases.close_window(connection, now, held)
            held = self.leases.held(connection, claim)
        return self.leases.next_step(connection, now, held)

    def sent_ids(self, connection: Connection, _now: int, claim: Claim) -> frozenset[str]:
        """Return the ids under which Meta took this conversation's latest pieces."""
        return ledger.sent_ids(connection, self.leases.held(connection, claim))

    def retry(
        self,
        connection: Connection,
        now: int,
        claim: Claim,
        *,
        after: int,
        why: str,
        then: PieceStatus = PieceStatus.PLANNED,
        wait_reason: WaitReason | None = None,
    ) -> None:
        """
        Release the conversation and come back in *after* milliseconds.

        *then* is `SENDING` when the claim's piece may have arrived. With a *blocker*
        the conversation is not to blame, and the wait uses up no try.
        """
        held = self.leases.held(connection, claim)
        if claim.piece is not None:
            ledger.mark_failed(connection, claim.piece.id, then, why)
        self.leases.retry_later(connection, now, held, after, wait_reason)

    def _plan(
        self, connection: Connection, now: int, held: ClaimedRow, turn_result: TurnResult
    ) -> Piece | None:
        """
        Plan the answer, unless a person has taken over while the agent made it.

        For a turn that failed once more after a replay nothing is said again. Returns its
        first piece if that is the next step.
        """
        if held.paused_until > now:
            log.info("answer.dropped", contact=held.contact, reason="a person answers")
            return None
        has_failed = EventStatus.DEAD in turn_result.events.values()
        if has_failed and ledger.has_said(connection, held, turn_result.turn):
            return None
        turn, events = turn_result.turn, turn_result.events
        piece = ledger.plan(connection, now, held, turn, events, turn_result.messages)
        _write_lines(connection, now, held, turn_result)
        if turn_result.hands_over:
            takeover.pause(connection, held, now + self.pause)
        return piece


def _is_outdated(connection: Connection, claim: Claim, turn_result: TurnResult) -> bool:
    """
    Whether what would be answered has been taken back, unseen by the turn.

    What was known as taken back when the claim was made is not answered anyway.
    """
    unsends = _WAITING_UNSENDS.rows(connection, **key_of(claim))
    unseen = {unsend.mid for unsend in unsends if unsend.id not in turn_result.events}
    return any(event.mid in unseen and not event.is_unsent for event in claim.events)


def _piece_of(claim: Claim) -> Piece:
    if claim.piece is None:
        raise ValueError("the claim is for events, not for a piece")
    return claim.piece


def _end_events(connection: Connection, turn_result: TurnResult) -> None:
    how = {"why": turn_result.reason, "of_turn": turn_result.turn}
    _END.run_many(
        connection,
        [{"event": id_, "ending": end.value, **how} for id_, end in turn_result.events.items()],
    )
    for event, ending in turn_result.events.items():
        if ending is EventStatus.UNSENT:
            _WIPE.run(connection, event=event)


def _write_lines(
    connection: Connection, now: int, held: ClaimedRow, turn_result: TurnResult
) -> None:
    if not turn_result.lines:
        return
    of = {
        "account": held.account,
        "contact": held.contact,
        "epoch": held.epoch,
        "turn": turn_result.turn,
        "at": now,
    }
    lines = [{**of, "role": line.role, "text": line.text} for line in turn_result.lines]
    _WRITE_LINE.run_many(connection, lines)
