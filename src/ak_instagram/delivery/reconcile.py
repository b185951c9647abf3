"""
Reconciliation: decisions about a piece whose outcome is unknown.

Such a piece is not sent again before its echo had time to arrive and the conversation
has been looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ak_instagram.backoff import Backoff
from ak_instagram.meta.graph.client import RecentMessage
from ak_instagram.meta.graph.codes import WHOLE_ACCOUNT
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.meta.outgoing import fetch_seconds, sent_kind
from ak_instagram.store.values import CLOCK_SLACK, Piece
from ak_instagram.store.verbs.outbox import text_key

from .decide import (
    ECHO_WAIT,
    Action,
    Failure,
    OpenCircuit,
    Retry,
    SendLater,
    try_again,
)

TIMEOUT = 10.0  # seconds that one call may take


def until_echo(piece: Piece, now_ms: int) -> float:
    """
    Return for how many seconds the echo of *piece*'s latest attempt may still be on its way.

    If nobody saw that attempt end, it may have been cut off just now, with Meta still at it.
    *now_ms* is the store's time in UTC milliseconds; a clock that was set back makes the wait
    shorter, never endless.
    """
    patience = ECHO_WAIT if piece.is_over else TIMEOUT + ECHO_WAIT
    if "text" not in piece.message and (fetching := fetch_seconds(piece.message)):
        patience = fetching + ECHO_WAIT  # however the call ended, Meta may go on with it
    return max(patience - abs(now_ms - piece.tried_at) / 1000, 0.0)


def find(
    piece: Piece, recent: Iterable[RecentMessage], ours: frozenset[str], contact: str
) -> RecentMessage | None:
    """
    Return the message that *piece* became, if it is among the *recent* ones.

    *ours* are the ids that other pieces are known by. An attachment is known by its kind,
    and by coming after them; *recent* has the newest first.
    """
    text, kind = piece.message.get("text"), sent_kind(piece.message)
    for message in recent:
        is_candidate = message.from_id != contact and message.mid not in ours
        # Any attempt may have arrived, not just the latest.
        is_recent = message.created_at >= piece.planned_at - CLOCK_SLACK
        if isinstance(text, str):
            is_it = text_key(message.text) == text_key(text)
        elif message.mid in ours:
            return None  # pieces arrive in order: this one is none of those before
        else:
            is_it = bool(kind and message.from_id) and _may_be(kind, message)
        if is_candidate and is_recent and is_it:
            return message
    return None


def _may_be(kind: str | None, message: RecentMessage) -> bool:
    """Return whether *message* shows an attachment of *kind*, or nothing that could be seen."""
    return message.attachment == kind or not (message.attachment or message.text)


def decide_not_found(
    latest: Failure | None, failures: int, backoff: Backoff, elapsed: float
) -> Action:
    """
    Return what becomes of a piece that is not in the conversation, so it did not arrive.

    *latest* is how its latest attempt failed, if that was seen here; *failures* counts the
    failed attempts, this one included. The backoff counts from the beginning of the latest,
    *elapsed* seconds ago: the look-up is a part of the wait.
    """
    why = "it did not arrive"
    if latest is not None and latest.error_class in WHOLE_ACCOUNT:
        return SendLater(0.0, why)
    again = try_again(why, failures, backoff, latest)
    return (
        replace(again, after=max(again.after - elapsed, 0.0)) if isinstance(again, Retry) else again
    )


def decide_look_up_failed(
    error: GraphError, failure: Failure, failures: int, backoff: Backoff
) -> Action:
    """
    Return what becomes of a piece that could not be looked for, because of *error*.

    It stays in doubt. For *failure* and *failures* see `decide.decide`.
    """
    if failure.error_class in WHOLE_ACCOUNT:
        return OpenCircuit(failure.error_class, str(error), error.retry_after, in_doubt=True)
    at_least = error.retry_after or 0.0
    return try_again(str(error), failures, backoff, failure, at_least, in_doubt=True)
