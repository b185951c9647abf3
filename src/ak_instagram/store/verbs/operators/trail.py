"""
The trail: events of a conversation's past that no other table tells.

A row is written in transactions that end a failed call or begin a silence, so that the way of
a message that works writes none.
"""

from __future__ import annotations

from sqlalchemy import bindparam, insert

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import trail
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import Claim, FailedCall
from ak_instagram.text import sanitize

LONGEST = 500  # characters of a reason
_LARGEST = 2**63 - 1  # what a database takes for a code

_NOTE = Statement(
    insert(trail).values({it.name: bindparam(it.name) for it in trail.c if it.name != "id"})
)


def note_failure(tx: Tx, claim: Claim, failed: FailedCall, turn: str | None = None) -> None:
    """Note a call that failed for *claim*: about its piece, or about *turn*."""
    piece = claim.piece
    code, subcode = (
        it if it is not None and abs(it) <= _LARGEST else None
        for it in (failed.code, failed.subcode)
    )
    _NOTE.run(
        tx,
        account=claim.account,
        contact=claim.contact,
        at=tx.now,
        what=failed.what,
        turn=piece.turn if piece else turn,
        seq=piece.seq if piece else None,
        attempt=failed.attempt,
        ms=failed.ms,
        outcome=failed.outcome,
        code=code,
        subcode=subcode,
        request_id=sanitize(failed.request_id[:LONGEST]) if failed.request_id else None,
        reason=sanitize(failed.reason[:LONGEST]),
    )


def note(tx: Tx, account: str, contact: str, what: str, outcome: str, reason: str) -> None:
    """Note that *what* happened, as it is called in `timeline`, with its *outcome* and *reason*."""
    unknown = dict.fromkeys(("turn", "seq", "attempt", "ms", "code", "subcode", "request_id"))
    known = {"account": account, "contact": contact, "at": tx.now, "what": what}
    _NOTE.run(tx, **unknown, **known, outcome=outcome, reason=reason)
