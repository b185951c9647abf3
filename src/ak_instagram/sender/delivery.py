"""One piece goes out: tried, entered in the ledger, and settled by what Meta says."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff
from ak_instagram.errors import LeaseLost
from ak_instagram.store.store import Store
from ak_instagram.store.text_key import text_key
from ak_instagram.store.values import Blocker, Claim, Piece, PieceStatus

from .accounts import Accounts
from .circuit import Circuits
from .graph import GraphClient, RecentMessage
from .graph_errors import ErrorClass, GraphError
from .rate import RateLimits

log = structlog.get_logger()

TIMEOUT = 10.0  # seconds for one send, if the lease lasts so long
LEASE_MARGIN = 1.0  # seconds of a lease in which nothing is sent any more
ECHO_WAIT = 5.0  # seconds in which the echo of a send of unknown outcome usually arrives
# Meta took the account's word and refused this message or this person.
_SPOKEN_TO = frozenset(
    {ErrorClass.WINDOW_CLOSED, ErrorClass.PERSON_UNAVAILABLE, ErrorClass.BAD_REQUEST}
)
CLOCK_SLACK = 60_000  # milliseconds that Meta's clock may be behind ours


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers the piece that a claim is for, and says what comes next in the conversation."""

    store: Store
    graph: GraphClient
    accounts: Accounts
    circuits: Circuits
    rate: RateLimits
    backoff: Backoff

    async def deliver(self, claim: Claim, piece: Piece) -> Claim | None:
        """
        Try to send *piece* once, and return the next step (`None`: the claim has ended).

        Raises `errors.LeaseLost` when another worker has taken the conversation over.
        """
        account = self.accounts.find(claim.account)
        if account is None:
            return await self._give_up(claim, "the account is not configured any more")
        if wait := self.circuits.wait(claim.account, claim.contact):
            await self._wait_for_account(claim, piece, wait, "the account is blocked")
            return None
        if piece.doubtful:
            return await self._look_for(claim, piece, account.access_token)
        await self.rate.acquire(claim.account)
        return await self._send(claim, piece, account.access_token)

    def _time_to_send(self, claim: Claim) -> float:
        """Return how long a send may take at most while the conversation is surely ours."""
        left = self.store.lease_left(claim) - LEASE_MARGIN
        if left <= 0:
            raise LeaseLost("the lease has run out while the piece was about to be sent")
        return min(left, TIMEOUT)

    async def _send(self, claim: Claim, piece: Piece, token: str) -> Claim | None:
        began = time.perf_counter()
        try:
            message_id = await self.graph.send_message(
                token, claim.contact, piece.message, self._time_to_send(claim)
            )
        except GraphError as exc:
            error_class = exc.class_after(claim.attempts + 1)
            _record(piece, error_class.value, began, exc)
            if error_class in _SPOKEN_TO:
                await self._heal(claim)
            return await self._failed(claim, piece, exc, error_class)
        _record(piece, "sent", began)
        await self._heal(claim)
        return await self.store.sent(claim, message_id)

    async def _failed(
        self, claim: Claim, piece: Piece, error: GraphError, error_class: ErrorClass
    ) -> Claim | None:
        match error_class:
            case ErrorClass.OUTCOME_UNKNOWN:
                await self._wait(claim, ECHO_WAIT, error, then=PieceStatus.SENDING)
            case ErrorClass.RATE_LIMITED | ErrorClass.AUTHORIZATION | ErrorClass.ACCOUNT_RESTRICTED:
                pause = self.circuits.trip(claim.account, error, error_class)
                await self._wait_for_account(claim, piece, pause, str(error))
            case ErrorClass.WINDOW_CLOSED:
                return await self.store.close_window(claim, str(error))
            case ErrorClass.TRANSIENT:
                return await self._try_again(claim, error)
            case ErrorClass.PERSON_UNAVAILABLE | ErrorClass.BAD_REQUEST:
                return await self._give_up(claim, str(error))
        return None

    async def _heal(self, claim: Claim) -> None:
        """Let all go on that waits for the account, now that Meta listens to it again."""
        if self.circuits.heal(claim.account):
            await self.store.wake_account(claim.account)

    async def _wait_for_account(self, claim: Claim, piece: Piece, seconds: float, why: str) -> None:
        then = PieceStatus.SENDING if piece.doubtful else PieceStatus.PLANNED
        await self.store.retry(claim, after=seconds, why=why, piece=then, blocker=Blocker.ACCOUNT)

    async def _try_again(
        self, claim: Claim, error: GraphError, then: PieceStatus = PieceStatus.PLANNED
    ) -> Claim | None:
        wait = self.backoff.wait(claim.attempts + 1)
        if wait is None:
            return await self._give_up(claim, f"gave up: {error}")
        await self._wait(claim, max(wait, error.retry_after or 0.0), error, then=then)
        return None

    async def _wait(
        self,
        claim: Claim,
        seconds: float,
        error: GraphError,
        *,
        then: PieceStatus = PieceStatus.PLANNED,
    ) -> None:
        await self.store.retry(claim, after=seconds, why=str(error), piece=then)

    async def _give_up(self, claim: Claim, why: str) -> Claim | None:
        metrics.DEAD_LETTERS.labels("piece").inc()
        log.error("delivery.dead_lettered", reason=why)
        return await self.store.give_up(claim, why)

    async def _look_for(self, claim: Claim, piece: Piece, token: str) -> Claim | None:
        """Find out whether a piece of unknown outcome arrived, and send it only if it did not."""
        try:
            recent = await self.graph.recent_messages(token, claim.contact, TIMEOUT)
        except GraphError as exc:
            return await self._try_again(claim, exc, then=PieceStatus.SENDING)
        arrived = _find(piece, recent, await self.store.sent_ids(claim), claim.contact)
        log.info("delivery.looked_up", piece=piece.seq, arrived=arrived is not None)
        if arrived is not None:
            return await self.store.sent(claim, arrived.mid)
        return await self.store.resend(claim, "it did not arrive")


def _find(
    piece: Piece, recent: tuple[RecentMessage, ...], ours: frozenset[str], contact: str
) -> RecentMessage | None:
    """Return the message that *piece* became, if it is among the *recent* ones."""
    text = piece.message.get("text")
    if not isinstance(text, str):
        return None
    for message in recent:
        is_candidate = message.from_id != contact and message.mid not in ours
        is_recent = message.created_at >= piece.since - CLOCK_SLACK
        if is_candidate and is_recent and text_key(message.text) == text_key(text):
            return message
    return None


def _record(piece: Piece, outcome: str, began: float, error: GraphError | None = None) -> None:
    """Count the try and log it in one line."""
    seconds = time.perf_counter() - began
    metrics.DELIVERIES.labels(outcome).inc()
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
