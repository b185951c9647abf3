"""
A piece of unknown outcome: how long its echo may take, and whether it is in a conversation.

Nothing is sent again before both have been asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from ak_instagram.store.text_key import text_key
from ak_instagram.store.values import Piece

from .graph_answers import RecentMessage

ECHO_WAIT = 5.0  # seconds in which the echo of a send usually arrives
# Milliseconds before the latest try in which a piece may have been said: an earlier try
# may have arrived as well, and Meta's clock may be behind ours.
EARLIER_TRIES = 1_800_000


def until_echo(piece: Piece, now: int) -> float:
    """
    Return for how many seconds the echo of *piece*'s latest try may still be on its way.

    After a crash that try may be but a moment ago. *now* is in UTC milliseconds; a
    clock that is not the store's makes the wait shorter or longer, never endless.
    """
    age = (now - piece.since) / 1000
    return ECHO_WAIT - age if 0 <= age < ECHO_WAIT else 0.0


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
        is_recent = message.created_at >= piece.since - EARLIER_TRIES
        if is_candidate and is_recent and text_key(message.text) == text_key(text):
            return message
    return None
