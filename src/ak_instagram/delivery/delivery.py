"""One piece goes out: tried, entered in the ledger, and settled by what Meta says."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff
from ak_instagram.errors import LeaseLost
from ak_instagram.meta.graph import GraphClient
from ak_instagram.meta.graph_codes import WHOLE_ACCOUNT, ErrorClass
from ak_instagram.meta.graph_errors import GraphError
from ak_instagram.store.store import Store
from ak_instagram.store.values import Claim, Piece, PieceStatus, WaitReason

from .accounts import Accounts
from .attempts import AttemptHistory, Failure
from .circuit_breaker import CircuitBreaker
from .rate_limit import RateLimiter
from .reconcile import ECHO_WAIT, find, until_echo

log = structlog.get_logger()

TIMEOUT = 10.0  # seconds for one send, if the lease lasts so long
# Seconds at least before a try whose failure may mean something else than the one before: a bad
# minute of Meta's passes, and other conversations show whether the account can send.
VERDICT_WAIT = 60.0
LEASE_MARGIN = 1.0  # seconds of a lease in which nothing is sent any more
# Seconds that a piece waits for its turn, unaware of a person who answers meanwhile.
PATIENCE = 1.0
LOOK_UPS = 2.0  # a second and account: what Meta allows of conversations
LOOK_UP_PATIENCE = 5.0  # seconds that a look-up waits for its turn and keeps the worker busy
# Meta took the account's word and refused this message or this person.
_SPOKEN_TO = frozenset(
    {ErrorClass.WINDOW_CLOSED, ErrorClass.PERSON_UNAVAILABLE, ErrorClass.BAD_REQUEST}
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers the piece that a claim is for, and says what comes next in the conversation."""

    store: Store
    graph: GraphClient
    accounts: Accounts
    circuit_breaker: CircuitBreaker
    rate: RateLimiter
    backoff: Backoff
    look_ups: RateLimiter = field(default_factory=lambda: RateLimiter(LOOK_UPS))
    failures: AttemptHistory = field(default_factory=AttemptHistory)
    failed_look_ups: AttemptHistory = field(default_factory=AttemptHistory)

    async def deliver(self, claim: Claim, piece: Piece) -> Claim | None:
        """
        Try to send *piece* once, and return the next step (`None`: the claim has ended).

        Raises `errors.LeaseLost` when another worker has taken the conversation over.
        """
        account = self.accounts.find(claim.account)
        if account is None:
            return await self._give_up(claim, piece, "the account is not configured any more")
        if await self._is_put_off(claim, piece):
            return None
        if piece.outcome_unknown:
            return await self._look_for(claim, piece, account.access_token)
        if wait := self.rate.put_off(claim.account, PATIENCE, piece.id):
            why = "the account sends as fast as it may"
            await self._come_back(claim, wait, why, then=PieceStatus.PLANNED)
            return None
        await self.rate.acquire(claim.account)
        if await self._is_put_off(claim, piece):  # blocked while this one waited for its turn
            return None
        return await self._send(claim, piece, account.access_token)

    async def _is_put_off(self, claim: Claim, piece: Piece) -> bool:
        """Put *piece* off while its account is blocked; return whether it is."""
        wait = self.circuit_breaker.wait(claim.account, claim.contact)
        if wait:
            why = "the account is blocked"
            await self._wait_for_account(claim, wait, why, in_doubt=piece.outcome_unknown)
        return wait > 0

    def _time_to_send(self, claim: Claim) -> float:
        """Return how long a send may take at most while the conversation is surely ours."""
        left = self.store.lease_left(claim) - LEASE_MARGIN
        if left <= 0:
            raise LeaseLost("the lease has run out while the piece was about to be sent")
        return min(left, TIMEOUT)

    async def _send(self, claim: Claim, piece: Piece, token: str) -> Claim | None:
        began = self.circuit_breaker.now()
        try:
            message_id = await self.graph.send_message(
                token, claim.contact, piece.message, self._time_to_send(claim)
            )
        except GraphError as exc:
            return await self._failed(claim, piece, began, exc)
        _record(piece, "sent", self.circuit_breaker.now() - began)
        try:
            return await self._sent(claim, piece, message_id)
        finally:
            await self._heal(claim, began)

    async def _failed(
        self, claim: Claim, piece: Piece, began: float, error: GraphError
    ) -> Claim | None:
        """Note how a try that *began* then has failed, and see to what that means."""
        failure = self._note(self.failures, claim, piece, error)
        _record(piece, failure.error_class.value, failure.at - began, error)
        if failure.error_class in WHOLE_ACCOUNT:
            await self._block(claim, piece, began, error, failure.error_class)
            return None
        try:
            return await self._see_to(claim, piece, error, failure)
        finally:
            # What only staying has made of an error is a guess, and no word of Meta's.
            if error.error_class in _SPOKEN_TO:
                await self._heal(claim, began)

    def _note(
        self, failures: AttemptHistory, claim: Claim, piece: Piece, error: GraphError
    ) -> Failure:
        """Add to *failures* that a call for *piece* has just ended with *error*."""
        last_worked = self.circuit_breaker.last_worked(claim.account)
        return failures.note(piece, error, self.circuit_breaker.now(), last_worked)

    async def _see_to(
        self, claim: Claim, piece: Piece, error: GraphError, failure: Failure
    ) -> Claim | None:
        """See to an error that is this message's, this person's, or the moment's."""
        match failure.error_class:
            case ErrorClass.OUTCOME_UNKNOWN:
                wait = max(ECHO_WAIT, error.retry_after or 0.0)
                await self._come_back(claim, wait, str(error), then=PieceStatus.SENDING)
            case ErrorClass.WINDOW_CLOSED:
                return await self.store.close_window(claim, str(error))
            case ErrorClass.TRANSIENT:
                at_least = _shortest_wait(error, failure)
                return await self._try_again(claim, piece, str(error), at_least)
            case ErrorClass.PERSON_UNAVAILABLE | ErrorClass.BAD_REQUEST:
                return await self._give_up(claim, piece, str(error))
        return None

    async def _sent(self, claim: Claim, piece: Piece, message_id: str) -> Claim | None:
        self.failures.forget(piece)
        return await self.store.sent(claim, message_id)

    async def _heal(self, claim: Claim, began: float) -> None:
        """Let all go on that waits for the account, now that Meta listens to it again."""
        if self.circuit_breaker.heal(claim.account, began):
            await self.store.wake_account(claim.account)

    async def _block(
        self, claim: Claim, piece: Piece, began: float, error: GraphError, error_class: ErrorClass
    ) -> None:
        """Let the whole account wait because of a call that *began* then."""
        pause = self.circuit_breaker.trip(claim.account, claim.contact, began, error, error_class)
        # Meta may have done what it reports to have failed, whoever is to blame for that.
        in_doubt = piece.outcome_unknown or error.error_class is ErrorClass.OUTCOME_UNKNOWN
        await self._wait_for_account(claim, pause, str(error), in_doubt=in_doubt)

    async def _wait_for_account(
        self, claim: Claim, seconds: float, why: str, *, in_doubt: bool
    ) -> None:
        then = PieceStatus.SENDING if in_doubt else PieceStatus.PLANNED
        await self.store.retry(
            claim, after=seconds, why=why, then=then, wait_reason=WaitReason.ACCOUNT
        )

    async def _come_back(
        self, claim: Claim, seconds: float, why: str, *, then: PieceStatus
    ) -> None:
        """Go on in *seconds*; that uses up no try."""
        await self.store.retry(
            claim, after=seconds, why=why, then=then, wait_reason=WaitReason.OTHER
        )

    async def _try_again(
        self,
        claim: Claim,
        piece: Piece,
        why: str,
        at_least: float = 0.0,
        *,
        then: PieceStatus = PieceStatus.PLANNED,
    ) -> Claim | None:
        wait = self.backoff.wait_or_give_up(claim.failures + 1)
        if wait is None:
            return await self._give_up(claim, piece, f"gave up: {why}")
        await self.store.retry(claim, after=max(wait, at_least), why=why, then=then)
        return None

    async def _give_up(self, claim: Claim, piece: Piece, why: str) -> Claim | None:
        metrics.DEAD_LETTERS.labels("answer").inc()
        log.error("delivery.dead_lettered", reason=why)
        self.failures.forget(piece)
        self.failed_look_ups.forget(piece)
        return await self.store.give_up(claim, why)

    # --- in doubt -------------------------------------------------------------

    async def _look_for(self, claim: Claim, piece: Piece, token: str) -> Claim | None:
        """Find out whether a piece of unknown outcome arrived, and send it only if it did not."""
        if wait := self._until_look_up(claim, piece):
            why = "it has yet to be looked for"
            await self._come_back(claim, wait, why, then=PieceStatus.SENDING)
            return None
        await self.look_ups.acquire(claim.account)
        began = self.circuit_breaker.now()
        try:
            recent = await self.graph.recent_messages(token, claim.contact, TIMEOUT)
        except GraphError as exc:
            return await self._look_up_failed(claim, piece, began, exc)
        self.failed_look_ups.forget(piece)
        arrived = find(piece, recent, await self.store.sent_ids(claim), claim.contact)
        log.info("delivery.looked_up", piece=piece.seq, arrived=arrived is not None)
        if arrived is not None:
            return await self._sent(claim, piece, arrived.mid)
        return await self._send_again(claim, piece)

    async def _look_up_failed(
        self, claim: Claim, piece: Piece, began: float, error: GraphError
    ) -> Claim | None:
        """Leave *piece* in doubt, and stop the account if it is to blame."""
        failure = self._note(self.failed_look_ups, claim, piece, error)
        if failure.error_class in WHOLE_ACCOUNT:
            await self._block(claim, piece, began, error, failure.error_class)
            return None
        at_least, then = _shortest_wait(error, failure), PieceStatus.SENDING
        return await self._try_again(claim, piece, str(error), at_least, then=then)

    def _until_look_up(self, claim: Claim, piece: Piece) -> float:
        """Return for how many seconds the conversation is not to be asked yet, 0 for none."""
        # A try that nobody saw end may have been cut off just now, and Meta be still at it.
        has_ended = self.failures.of_latest_try(piece) is not None
        patience = ECHO_WAIT if has_ended else TIMEOUT + ECHO_WAIT
        wait = until_echo(piece, self.store.now(), patience)
        return wait or self.look_ups.put_off(claim.account, LOOK_UP_PATIENCE, piece.id)

    async def _send_again(self, claim: Claim, piece: Piece) -> Claim | None:
        """Let a piece that did not arrive be sent anew."""
        why = "it did not arrive"
        failure = self.failures.of_latest_try(piece)
        if failure is None or failure.error_class not in WHOLE_ACCOUNT:
            return await self._try_again(claim, piece, why)
        await self._come_back(claim, 0.0, why, then=PieceStatus.PLANNED)
        return None


def _shortest_wait(error: GraphError, failure: Failure) -> float:
    """Return how many seconds to wait at least after *error*, which was such a *failure*."""
    may_change = error.class_after(failure.times + 1) is not failure.error_class
    return max(error.retry_after or 0.0, VERDICT_WAIT if may_change else 0.0)


def _record(piece: Piece, outcome: str, seconds: float, error: GraphError | None = None) -> None:
    """Count the try and log it in one line."""
    metrics.DELIVERY_ATTEMPTS.labels(outcome).inc()
    metrics.DELIVERY_SECONDS.observe(seconds)
    fields = {"piece": piece.seq, "tries": piece.tries, "ms": round(seconds * 1000, 1)}
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
