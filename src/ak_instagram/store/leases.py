"""
Conversations are claimed, held and released.

A claim is a lease on a conversation with a fence: a number that rises with each
claim, so that whoever held it before can't write any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection, bindparam, exists, func, select, tuple_, update

from ak_instagram.errors import LeaseLost

from . import ledger, takeover
from .rows import Held, key_of
from .schema import conversations, events, transcript
from .values import Blocker, Claim, EventStatus, Line, Piece, StoredEvent

log = structlog.get_logger()

MOST_EVENTS = 200  # of one turn; the rest makes the next

_c = conversations.c
_key = (_c.account == bindparam("of_account"), _c.contact == bindparam("of_contact"))

_state = (
    _c.account,
    _c.contact,
    _c.fence,
    _c.attempts,
    _c.epoch,
    _c.window_closes_at,
    _c.paused_until,
    _c.lease_until,
)

_DUE = (
    select(_c.account, _c.contact)
    .where(_c.claimable_at <= bindparam("now"))
    .order_by(_c.claimable_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = (
    update(conversations)
    .where(tuple_(_c.account, _c.contact).in_(select(_DUE.c.account, _DUE.c.contact)))
    .values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        fence=_c.fence + 1,
        burst_ends=None,
    )
    .returning(*_state)
)
_NEXT_DUE = select(func.min(_c.claimable_at))
_RENEW = (
    update(conversations)
    .where(_c.lease_owner == bindparam("owner"))
    .values(lease_until=bindparam("until"))
    .returning(_c.account, _c.contact, _c.fence)
)
_LET_GO = (
    update(conversations)
    .where(_c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=0)
)
_ABANDON = (
    update(conversations)
    .where(*_key, _c.fence == bindparam("of_fence"), _c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=0)
)
_HELD = (
    select(*_state, _c.due_at)
    .where(*_key, _c.fence == bindparam("of_fence"), _c.lease_owner == bindparam("owner"))
    .with_for_update()
)
_PROGRESS = update(conversations).where(*_key).values(attempts=0, not_before=0, burst_ends=None)
_RELEASE = (
    update(conversations)
    .where(*_key)
    .values(
        lease_owner=None,
        lease_until=0,
        attempts=bindparam("attempts_now"),
        due_at=bindparam("due"),
        not_before=bindparam("wait"),
        waits_for=bindparam("reason"),
        burst_ends=None,
    )
)
_WAKE_ACCOUNT = (
    update(conversations)
    .where(_c.account == bindparam("of_account"), _c.waits_for.is_not(None))
    .values(due_at=bindparam("now"), not_before=0, waits_for=None)
)
_CLOSE_WINDOW = update(conversations).where(*_key).values(window_closes_at=bindparam("now"))
_unsends = events.alias("unsends")
_WAITING = (
    select(
        events.c.id,
        events.c.kind,
        events.c.mid,
        events.c.at,
        events.c.payload,
        exists().where(
            _unsends.c.account == events.c.account,
            _unsends.c.contact == events.c.contact,
            _unsends.c.mid == events.c.mid,
            _unsends.c.kind == "unsend",
        ),
    )
    .where(
        events.c.account == bindparam("of_account"),
        events.c.contact == bindparam("of_contact"),
        events.c.status == EventStatus.WAITING.value,
    )
    .order_by(events.c.at, events.c.id)
    .limit(MOST_EVENTS)
)
_LINES = (
    select(transcript.c.role, transcript.c.text)
    .where(
        transcript.c.account == bindparam("of_account"),
        transcript.c.contact == bindparam("of_contact"),
        transcript.c.epoch == bindparam("of_epoch"),
    )
    .order_by(transcript.c.id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Leases:
    """
    The verbs of holding a conversation, for one worker process.

    *owner* names the process run, *lease* is in milliseconds, *lines* is how much of
    the transcript a claim brings along.
    """

    owner: str
    lease: int
    lines: int = 0

    def claim(self, connection: Connection, now: int, most: int) -> list[Claim]:
        """Take up to *most* due conversations whose lease is free or has run out."""
        rows = connection.execute(
            _CLAIM, {"now": now, "most": most, "owner": self.owner, "until": now + self.lease}
        ).all()
        claims = (self._advance(connection, now, row, due_at=now) for row in rows)
        return [claim for claim in claims if claim is not None]

    def until_due(self, connection: Connection, now: int) -> int | None:
        """Return in how many milliseconds something can be claimed, `None` if nothing waits."""
        due: int | None = connection.execute(_NEXT_DUE).scalar_one()
        return None if due is None else max(due - now, 0)

    def renew(self, connection: Connection, now: int) -> set[tuple[str, str, int]]:
        """Extend everything this process holds; return (account, contact, fence) of each."""
        rows = connection.execute(_RENEW, {"owner": self.owner, "until": now + self.lease})
        return {(row.account, row.contact, row.fence) for row in rows}

    def let_go(self, connection: Connection, _now: int) -> None:
        """Release everything this process holds, as it is."""
        connection.execute(_LET_GO, {"owner": self.owner})

    def abandon(
        self, connection: Connection, _now: int, holdings: Collection[tuple[str, str, int]]
    ) -> None:
        """Release *holdings* (account, contact, fence) as they are."""
        for account, contact, fence in holdings:
            connection.execute(
                _ABANDON,
                {
                    "of_account": account,
                    "of_contact": contact,
                    "of_fence": fence,
                    "owner": self.owner,
                },
            )

    def held(self, connection: Connection, claim: Claim) -> Held:
        """Return the row of *claim*, or raise `LeaseLost` if it does not hold it any more."""
        row = connection.execute(
            _HELD, {**key_of(claim), "of_fence": claim.fence, "owner": self.owner}
        ).one_or_none()
        if row is None:
            raise LeaseLost(f"fence {claim.fence} is not the latest")
        return row

    def advance(self, connection: Connection, now: int, held: Held) -> Claim | None:
        """
        Return what is to be done next in a conversation that made progress.

        `None` means that nothing was due and the lease is released, both in this
        transaction: whatever arrives from now on makes the conversation due again.
        """
        claim = self._advance(connection, now, held, due_at=held.due_at)
        if claim is None:
            return None
        if claim.events or claim.attempts:
            connection.execute(_PROGRESS, key_of(held))
        return replace(claim, attempts=0)

    def _advance(
        self, connection: Connection, now: int, held: Held, due_at: int | None
    ) -> Claim | None:
        piece = ledger.next_piece(connection, now, held)
        if piece is not None:
            return _claim(held, piece=piece)
        if held.paused_until > now and takeover.hush(connection, held):
            log.info("turn.hushed", contact=held.contact, reason="a person answers")
        waiting = self._waiting(connection, held)
        if waiting and (due_at is None or due_at <= now):
            return _claim(held, events=waiting, transcript=self._transcript(connection, held))
        self._let_go(connection, held, attempts=0, due=due_at if waiting else None, wait=0)
        return None

    def close_window(self, connection: Connection, now: int, held: Held) -> None:
        """Take the conversation's 24 h window for closed from now on."""
        connection.execute(_CLOSE_WINDOW, {**key_of(held), "now": now})

    def retry_later(
        self, connection: Connection, now: int, held: Held, after: int, blocker: Blocker | None
    ) -> None:
        """Release the conversation until *after* milliseconds from now; no message hastens it."""
        due = now + after
        attempts = held.attempts + (1 if blocker is None else 0)
        self._let_go(connection, held, attempts=attempts, due=due, wait=due, blocker=blocker)

    def wake_account(self, connection: Connection, now: int, account: str) -> int:
        """Make all conversations due that wait for *account*; return how many."""
        return connection.execute(_WAKE_ACCOUNT, {"of_account": account, "now": now}).rowcount

    def _let_go(
        self,
        connection: Connection,
        held: Held,
        *,
        attempts: int,
        due: int | None,
        wait: int,
        blocker: Blocker | None = None,
    ) -> None:
        reason = blocker.value if blocker is Blocker.ACCOUNT else None
        connection.execute(
            _RELEASE,
            {
                **key_of(held),
                "attempts_now": attempts,
                "due": due,
                "wait": wait,
                "reason": reason,
            },
        )

    def _waiting(self, connection: Connection, held: Held) -> tuple[StoredEvent, ...]:
        rows = connection.execute(_WAITING, key_of(held))
        return tuple(StoredEvent(*row) for row in rows)

    def _transcript(self, connection: Connection, held: Held) -> tuple[Line, ...]:
        if not self.lines:
            return ()
        rows = connection.execute(
            _LINES, {**key_of(held), "of_epoch": held.epoch, "most": self.lines}
        )
        return tuple(Line(*row) for row in reversed(rows.all()))


def _claim(
    held: Held,
    *,
    piece: Piece | None = None,
    events: Sequence[StoredEvent] = (),
    transcript: Sequence[Line] = (),
) -> Claim:
    return Claim(
        account=held.account,
        contact=held.contact,
        fence=held.fence,
        lease_until=held.lease_until,
        attempts=held.attempts,
        epoch=held.epoch,
        piece=piece,
        events=tuple(events),
        transcript=tuple(transcript),
    )
