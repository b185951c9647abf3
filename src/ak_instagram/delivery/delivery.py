"""Delivery: a piece is sent once, and what Meta says of it is carried out in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff
from ak_instagram.errors import LeaseLost
from ak_instagram.meta.graph.client import RecentMessage
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.meta.outgoing import (
    COMMENT,
    Outgoing,
    fallback_of,
    fetch_seconds,
    is_action,
    is_timed_media,
    part_of,
)
from ak_instagram.settings.model import Account
from ak_instagram.store.database import WorkQueue
from ak_instagram.store.values import Claim, FailedCall, Piece, PieceStatus, WaitReason
from ak_instagram.store.verbs import claims, steps

from .circuit_breaker import CircuitBreaker
from .decide import (
    Action,
    AttemptHistory,
    Degrade,
    Failure,
    GiveUp,
    LookUp,
    OpenCircuit,
    Park,
    Retry,
    SendLater,
    Sent,
    WaitForAccount,
    decide,
    is_about_tag,
    shows_that_account_works,
)
from .rate_limit import RateLimiter, Reservation
from .reconcile import TIMEOUT, decide_look_up_failed, decide_not_found, find, until_echo

log = structlog.get_logger()

LEASE_MARGIN = 1.0  # seconds of a lease in which nothing is sent any more
# Seconds that a piece waits for its slot, unaware of a person who answers meanwhile.
PATIENCE = 1.0
# Sounds and films a second and account.
# https://developers.facebook.com/docs/instagram-platform/overview#messaging-rate-limits
TIMED_MEDIA = 10.0
LOOK_UPS = 2.0  # a second and account: what Meta allows of conversations
PRIVATE_REPLIES = 750 / 3600  # a second and account: what Meta allows under posts and reels
LOOK_UP_PATIENCE = 5.0  # seconds that a look-up waits for its slot and keeps the worker busy


class MessagesApi(Protocol):
    """The part of `meta.graph.client` that sends messages and looks for them."""

    async def send_message(
        self, token: str, recipient: str, message: Outgoing, timeout: float
    ) -> str:
        """Send *message* to *recipient* and return its id, empty if it gets none."""
        ...

    async def send_as_person(
        self, token: str, recipient: str, message: Outgoing, timeout: float
    ) -> str:
        """Send *message*, which a person wrote, to *recipient* and return its id."""
        ...

    async def recent_messages(
        self, token: str, recipient: str, timeout: float
    ) -> tuple[RecentMessage, ...]:
        """Return the latest messages to and from *recipient*."""
        ...


class Delivery:
    """
    Delivers the piece that a claim is for, and returns what is next in the conversation.

    *rate* limits sends, *timed_media* those of sounds and films, *look_ups* the calls that
    look for a piece of unknown outcome;
    *backoff* says when to try again, and how often. *sleep* is for tests.
    """

    def __init__(
        self,
        store: WorkQueue,
        graph: MessagesApi,
        circuit_breaker: CircuitBreaker,
        rate: RateLimiter,
        backoff: Backoff,
        *,
        timed_media: RateLimiter | None = None,
        look_ups: RateLimiter | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._graph = graph
        self._circuit_breaker = circuit_breaker
        self._rate = rate
        self._backoff = backoff
        self._timed_media = timed_media or RateLimiter(TIMED_MEDIA)
        self._private_replies = RateLimiter(PRIVATE_REPLIES)
        self._look_ups = look_ups or RateLimiter(LOOK_UPS)
        self._sleep = sleep
        self._failed_sends = AttemptHistory()
        self._failed_look_ups = AttemptHistory()

    async def deliver(self, claim: Claim, piece: Piece, account: Account | None) -> Claim | None:
        """
        Try to send *piece* once, and return the next step (`None`: the claim has ended).

        Raises `errors.LeaseLost` when another worker has taken the conversation over.
        """
        if account is None:
            gone = GiveUp("the account is not configured any more")
            return await self._carry_out(gone, claim, piece)
        if blocked := self._blocked(claim, piece):
            return await self._carry_out(blocked, claim, piece)
        # Not a reaction: it is seen nowhere, and made again it is the same.
        if piece.outcome_unknown and not is_action(piece.message):
            return await self._look_up(claim, piece, account.access_token)
        is_timed = "text" not in piece.message and is_timed_media(piece.message)
        lane = self._timed_media if is_timed else self._rate
        if COMMENT in piece.message:
            lane = self._private_replies
        own_rate = account.rate if lane is self._rate else None
        slot = lane.reserve(claim.account, piece.id, PATIENCE, own_rate)
        if not slot.is_granted:
            busy = SendLater(slot.after, "the account sends as fast as it may")
            return await self._carry_out(busy, claim, piece)
        if slot.after:
            await self._sleep(slot.after)
            if blocked := self._blocked(claim, piece):
                return await self._carry_out(blocked, claim, piece)
        return await self._send(claim, piece, account.access_token)

    def _blocked(self, claim: Claim, piece: Piece) -> WaitForAccount | None:
        """Return for how long the piece has to wait for its account, `None` if it need not."""
        wait = self._circuit_breaker.open_for(claim.account, claim.contact)
        in_doubt = piece.outcome_unknown
        return WaitForAccount(wait, "the account is stopped", in_doubt) if wait else None

    async def _send(self, claim: Claim, piece: Piece, token: str) -> Claim | None:
        left = self._store.lease_left(claim) - LEASE_MARGIN
        if left <= 0:
            raise LeaseLost("the lease has run out while the piece was about to be sent")
        breaker, began = self._circuit_breaker, self._circuit_breaker.now()
        send = self._graph.send_as_person if piece.is_tagged else self._graph.send_message
        patience = TIMEOUT if "text" in piece.message else TIMEOUT + fetch_seconds(piece.message)
        timeout = min(left, patience)
        action: Action
        failed = None
        try:
            message_id = await send(token, claim.contact, piece.message, timeout)
        except GraphError as error:
            if piece.is_tagged and is_about_tag(error):
                _log_attempt(piece, error.error_class.value, breaker.now() - began, error)
                why = f"{error}; has the app the feature Human Agent?"
                return await self._carry_out(GiveUp(why), claim, piece, began)
            failure = self._record(self._failed_sends, claim, piece, error)
            _log_attempt(piece, failure.error_class.value, failure.at - began, error)
            action = decide(
                error,
                failure,
                claim.failures + 1,
                self._backoff,
                has_fallback=bool(fallback_of(piece.message)),
                is_action=is_action(piece.message),
            )
            if COMMENT in piece.message and isinstance(action, GiveUp | Park):
                action = GiveUp(f"the comment can't be replied to privately (any more): {error}")
            failed = _failed_call("send", piece, failure, began, error)
            works = shows_that_account_works(error)
        else:
            _log_attempt(piece, "sent", breaker.now() - began)
            action, works = Sent(message_id), True
        try:
            return await self._carry_out(action, claim, piece, began, failed)
        finally:
            # All that waits for the account goes on, whatever became of this piece.
            if works and breaker.record_success(claim.account, began):
                await self._store.run(claims.wake_account, claim.account)

    async def _look_up(self, claim: Claim, piece: Piece, token: str) -> Claim | None:
        """Look for a piece of unknown outcome, which is sent again only if it did not arrive."""
        latest = self._failed_sends.latest(piece)
        slot = Reservation(until_echo(piece, self._store.now()), is_granted=False)
        if not slot.after:
            slot = self._look_ups.reserve(claim.account, piece.id, LOOK_UP_PATIENCE)
        if not slot.is_granted:
            too_early = LookUp(slot.after, "it has yet to be looked for")
            return await self._carry_out(too_early, claim, piece)
        if slot.after:
            await self._sleep(slot.after)
        began = self._circuit_breaker.now()
        try:
            recent = await self._graph.recent_messages(token, claim.contact, TIMEOUT)
        except GraphError as error:
            failure = self._record(self._failed_look_ups, claim, piece, error)
            stays = decide_look_up_failed(error, failure, claim.failures + 1, self._backoff)
            failed = _failed_call("look_up", piece, failure, began, error)
            return await self._carry_out(stays, claim, piece, began, failed)
        self._failed_look_ups.forget(piece)
        found = find(piece, recent, await self._store.run(steps.sent_ids, claim), claim.contact)
        log.info("delivery.looked_up", piece=piece.seq, arrived=found is not None)
        if found is not None:
            return await self._carry_out(Sent(found.mid), claim, piece)
        elapsed = max(self._store.now() - piece.tried_at, 0) / 1000
        absent = decide_not_found(latest, claim.failures + 1, self._backoff, elapsed)
        return await self._carry_out(absent, claim, piece)

    def _record(
        self, history: AttemptHistory, claim: Claim, piece: Piece, error: GraphError
    ) -> Failure:
        """Record in *history* that a call for *piece* ended with *error* just now; judge it."""
        breaker, account = self._circuit_breaker, claim.account
        # A vague refusal of what words can stand in for says nothing: those will.
        is_vague = error.is_vague and not fallback_of(piece.message)
        people = breaker.record_refusal(account, claim.contact) if is_vague else 0
        return history.record(piece, error, breaker.now(), breaker.last_success(account), people)

    async def _carry_out(
        self,
        action: Action,
        claim: Claim,
        piece: Piece,
        began: float = 0.0,
        failed: FailedCall | None = None,
    ) -> Claim | None:
        """
        Carry *action* out, the outcome of a call that *began* then; return the next step.

        *failed* is that call if it did.
        """
        wait_reason: WaitReason | None = None
        match action:
            case Sent(message_id):
                if piece.attempt > 1:
                    self._failed_sends.forget(piece)
                return await self._store.run(steps.sent, claim, message_id)
            case Park(why):
                return await self._store.run(steps.close_window, claim, why, failed)
            case Degrade(why):
                part = part_of(piece.message)
                metrics.PARTS_REFUSED.labels(part).inc()
                log.warning("delivery.degraded", piece=piece.seq, part=part, reason=why)
                self._failed_sends.forget(piece)
                return await self._store.run(steps.degrade, claim, why, failed)
            case GiveUp(why):
                metrics.DEAD_LETTERS.labels("answer").inc()
                log.error("delivery.dead_lettered", reason=why)
                self._failed_sends.forget(piece)
                self._failed_look_ups.forget(piece)
                return await self._store.run(steps.give_up, claim, why, failed)
            case OpenCircuit(error_class, why, retry_after, in_doubt):
                wait_reason, breaker = WaitReason.ACCOUNT, self._circuit_breaker
                account, contact = claim.account, claim.contact
                after = breaker.open(account, contact, began, error_class, why, retry_after)
            case WaitForAccount(after, why, in_doubt):
                wait_reason = WaitReason.ACCOUNT
            case LookUp(after, why):
                in_doubt, wait_reason = True, WaitReason.OTHER
            case SendLater(after, why):
                in_doubt, wait_reason = False, WaitReason.OTHER
            case Retry(after, why, in_doubt):
                pass
        then = PieceStatus.SENDING if in_doubt else PieceStatus.PLANNED
        await self._store.run(
            steps.retry,
            claim,
            after=after,
            why=why,
            then=then,
            wait_reason=wait_reason,
            failed=failed,
        )
        return None


def _failed_call(
    what: Literal["send", "look_up"],
    piece: Piece,
    failure: Failure,
    began: float,
    error: GraphError,
) -> FailedCall:
    """Return the call for *piece* that *began* then and ended with *error*, for the trail."""
    return FailedCall(
        what,
        attempt=piece.attempt,
        ms=round((failure.at - began) * 1000),
        outcome=failure.error_class.value,
        reason=str(error),
        code=error.code,
        subcode=error.subcode,
        request_id=error.fbtrace_id,
    )


def _log_attempt(
    piece: Piece, outcome: str, seconds: float, error: GraphError | None = None
) -> None:
    """Count an attempt at *piece*, and log it in one line."""
    metrics.DELIVERY_ATTEMPTS.labels(outcome).inc()
    metrics.DELIVERY_SECONDS.observe(seconds)
    fields = {"piece": piece.seq, "attempt": piece.attempt, "ms": round(seconds * 1000, 1)}
    if error is None:
        log.info("delivery.attempted", outcome=outcome, **fields)
    else:
        log.warning(
            "delivery.attempted",
            outcome=outcome,
            code=error.code,
            subcode=error.subcode,
            fbtrace_id=error.fbtrace_id,
            **fields,
        )
