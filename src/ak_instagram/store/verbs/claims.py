"""
Conversations are claimed, held and released.

A claim is a lease on a conversation with a fence: a number that rises with each
claim, so that whoever held it before can't write any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from ak_instagram.errors import LeaseLost
from ak_instagram.store.values import (
    MAX_CLAIMS,
    Claim,
    ClaimedRow,
    LeasedRow,
    LeaseId,
    Piece,
    StoredEvent,
    TranscriptLine,
    WaitReason,
    key_of,
)

from . import claim_statements as statements
from . import outbox as ledger
from . import takeover

log = structlog.get_logger()


BEGINNING = ("", "")  # comes before every account and contact


class Renewal(NamedTuple):
    """What was *held* and is so *until* then; *last* is where the next part begins, if any."""

    held: frozenset[LeaseId]
    until: int
    last: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Leases:
    """
    The verbs of holding a conversation, for one worker process.

    *owner* names the process run, *lease* is in milliseconds, *lines* is how much of
    the transcript a claim brings along. *renewals* are made in one transaction: webhooks
    wait for it too.
    """

    owner: str
    lease: int
    lines: int = 0
    renewals: int = 500

    def claim(self, connection: Connection, now: int, limit: int) -> list[Claim]:
        """
        Take due conversations whose lease is free or has run out, the oldest first.

        At most *limit* of them, and `MAX_CLAIMS`.
        """
        taken: list[ClaimedRow] = statements.CLAIM.rows(
            connection,
            now=now,
            limit=min(limit, MAX_CLAIMS),
            owner=self.owner,
            until=now + self.lease,
        )
        claims = (self._claim_next(connection, now, held, due_at=now) for held in taken)
        return [claim for claim in claims if claim is not None]

    def until_due(self, connection: Connection, now: int) -> int | None:
        """Return in how many milliseconds something can be claimed, `None` if nothing waits."""
        due: int | None = statements.NEXT_DUE.value(connection)
        return None if due is None else max(due - now, 0)

    def renew(self, connection: Connection, now: int, after: tuple[str, str]) -> Renewal:
        """
        Extend a part of what this process holds: what comes *after* (account, contact).

        Call it from `BEGINNING` on, until nothing comes after that.
        """
        until = now + self.lease
        part = {"owner": self.owner, "after_account": after[0], "after": after[1]}
        last = statements.LAST_OF_PART.row(connection, **part, others=self.renewals - 1)
        if last is None:
            rows = statements.RENEW_REST.rows(connection, **part, until=until)
            return Renewal(frozenset(LeaseId(*row) for row in rows), until, None)
        ends = {"last_account": last.account, "last": last.contact}
        rows = statements.RENEW_PART.rows(connection, **part, **ends, until=until)
        return Renewal(frozenset(LeaseId(*row) for row in rows), until, tuple(last))

    def release_all(self, connection: Connection, _now: int) -> None:
        """Release everything this process holds, as it is."""
        statements.RELEASE_ALL.run(connection, owner=self.owner)

    def abandon(self, connection: Connection, _now: int, lease_ids: Collection[LeaseId]) -> None:
        """Release *holdings*, as they are."""
        for lease_id in lease_ids:
            statements.ABANDON.run(
                connection, **key_of(lease_id), of_fence=lease_id.fence, owner=self.owner
            )

    def held(self, connection: Connection, claim: Claim) -> LeasedRow:
        """Return the row of *claim*, or raise `LeaseLost` if it does not hold it any more."""
        row: LeasedRow | None = statements.HELD.row(
            connection, **key_of(claim), of_fence=claim.fence
        )
        if row is None or row.lease_owner != self.owner:
            raise LeaseLost(f"fence {claim.fence} is not the latest")
        return row

    def next_step(
        self, connection: Connection, now: int, held: LeasedRow, piece: Piece | None = None
    ) -> Claim | None:
        """
        Return what is to be done next in a conversation that made progress.

        That is *piece* if there is one. `None` means that nothing was due and the lease
        is released, both in this transaction: whatever arrives from now on makes the
        conversation due again.
        """
        claim = _claim(held, piece=piece) if piece else self._finish_or_claim(connection, now, held)
        if claim is None:
            return None
        if claim.events or claim.failures:
            statements.PROGRESS.run(connection, **key_of(held))
        return replace(claim, failures=0) if claim.failures else claim

    def _finish_or_claim(self, connection: Connection, now: int, held: LeasedRow) -> Claim | None:
        # Mostly this is the end: one statement says whether it is, and ends it.
        if statements.FINISH.run(connection, **key_of(held)):
            return None
        return self._claim_next(connection, now, held, due_at=held.due_at)

    def _claim_next(
        self, connection: Connection, now: int, held: ClaimedRow, due_at: int | None
    ) -> Claim | None:
        piece = ledger.next_piece(connection, now, held)
        if piece is not None:
            return _claim(held, piece=piece)
        if held.paused_until > now and takeover.settle_unanswered(connection, held):
            log.info("turn.skipped", contact=held.contact, reason="a person answers")
        waiting = self._waiting(connection, held)
        if waiting and (due_at is None or due_at <= now):
            return _claim(held, events=waiting, transcript=self._transcript(connection, held))
        self._release(connection, held, failures=0, due=due_at if waiting else None, wait=0)
        return None

    def unblock(self, connection: Connection, now: int) -> int:
        """Make all conversations due that wait for any account; return how many."""
        return statements.UNBLOCK.run(connection, now=now)

    def close_window(self, connection: Connection, now: int, held: ClaimedRow) -> None:
        """Take the conversation's 24 h window for closed from now on."""
        statements.CLOSE_WINDOW.run(connection, **key_of(held), now=now)

    def retry_later(
        self,
        connection: Connection,
        now: int,
        held: ClaimedRow,
        after: int,
        wait_reason: WaitReason | None,
    ) -> None:
        """Release the conversation until *after* milliseconds from now; no message hastens it."""
        due = now + after
        failures = held.failures + (1 if wait_reason is None else 0)
        self._release(
            connection, held, failures=failures, due=due, wait=due, wait_reason=wait_reason
        )

    def wake_account(self, connection: Connection, now: int, account: str) -> int:
        """Make all conversations due that wait for *account*; return how many."""
        return statements.WAKE_ACCOUNT.run(connection, of_account=account, now=now)

    def _release(
        self,
        connection: Connection,
        held: ClaimedRow,
        *,
        failures: int,
        due: int | None,
        wait: int,
        wait_reason: WaitReason | None = None,
    ) -> None:
        reason = wait_reason.value if wait_reason is WaitReason.ACCOUNT else None
        statements.RELEASE.run(
            connection,
            **key_of(held),
            failures=failures,
            due=due,
            wait=wait,
            reason=reason,
        )

    def _waiting(self, connection: Connection, held: ClaimedRow) -> tuple[StoredEvent, ...]:
        rows = statements.WAITING.rows(connection, **key_of(held))
        return tuple(
            StoredEvent(row.id, row.kind, row.mid, row.at, row.payload, bool(row.is_unsent))
            for row in rows
        )

    def _transcript(self, connection: Connection, held: ClaimedRow) -> tuple[TranscriptLine, ...]:
        if not self.lines:
            return ()
        rows = statements.LINES.rows(
            connection, **key_of(held), of_epoch=held.epoch, limit=self.lines
        )
        return tuple(TranscriptLine(*row) for row in reversed(rows))


def _claim(
    held: ClaimedRow,
    *,
    piece: Piece | None = None,
    events: Sequence[StoredEvent] = (),
    transcript: Sequence[TranscriptLine] = (),
) -> Claim:
    return Claim(
        account=held.account,
        contact=held.contact,
        fence=held.fence,
        lease_until=held.lease_until,
        failures=held.failures,
        epoch=held.epoch,
        piece=piece,
        events=tuple(events),
        transcript=tuple(transcript),
    )
