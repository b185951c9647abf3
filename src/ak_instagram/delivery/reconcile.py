"""
A piece of unknown outcome: how long its echo may take, and whether it is in a conversation.

Nothing is sent again before both have been asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from ak_instagram.meta.graph_responses import RecentMessage
from ak_instagram.store.values import CLOCK_SLACK, Piece
from ak_instagram.text import digest

ECHO_WAIT = 5.0  # seconds in which the echo of a send usually arrives


def until_echo(piece: Piece, now: int, patience: float) -> float:
    """
    Return for how many seconds the echo of *piece*'s latest try may still be on its way.

    That is *patience* seconds from when the try began. *now* is the store's time in UTC
    milliseconds; a clock that was set back makes the wait shorter, never endless.
    """
    away = abs(now - piece.tried_at) / 1000
    return max(patience - away, 0.0)


def find(
    piece: Piece, recent: Iterable[RecentMessage], ours: frozenset[str], contact: str
) -> RecentMessage | None:
    """
    Return the message that *piece* became, if it is among the *recent* ones.

    *ours* are the ids that other pieces are known by.
    """
    text = piece.message.get("text")
    if not isinstance(text, str):
        return None
    for message in recent:
        is_candidate = message.from_id != contact and message.mid not in ours
        # Any try of it may have arrived, not just the latest.
        is_recent = message.created_at >= piece.planned_at - CLOCK_SLACK
        if is_candidate and is_recent and digest(message.text) == digest(text):
            return message
    return None
