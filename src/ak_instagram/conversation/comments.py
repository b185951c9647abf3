"""Comments: what becomes of one, be it a private reply of the rules', the agent's, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ak_instagram.meta.outgoing import COMMENT, Outgoing
from ak_instagram.settings.comment_rules import CommentRule

# Milliseconds after a comment in which Meta takes a private reply
# (https://developers.facebook.com/docs/instagram-platform/private-replies).
OPEN_FOR = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Leave:
    """The comment is left alone, because of *why*."""

    why: str


@dataclass(frozen=True, slots=True)
class Say:
    """The comment gets *text*."""

    text: str


@dataclass(frozen=True, slots=True)
class AskAgent:
    """The agent answers the comment."""


Verdict: TypeAlias = Leave | Say | AskAgent


def verdict(text: str, at: int, now: int, rules: Sequence[CommentRule]) -> Verdict:
    """
    Return what becomes of a comment that says *text*, and was made *at* (UTC ms, as *now*).

    The first of *rules* that fits counts.
    """
    if now - at >= OPEN_FOR:
        return Leave("the comment is older than 7 days")
    rule = next((it for it in rules if it.fits(text)), None)
    if rule is None:
        return Leave("no rule of comments.rules fits the comment")
    return AskAgent() if rule.reply is None else Say(rule.reply)


def privately(comment: str, messages: Sequence[Outgoing]) -> tuple[Outgoing, ...]:
    """
    Return *messages* as the answer to *comment*: the first is its private reply.

    Meta takes one; the others wait until the person has answered it.
    """
    if not messages:
        return ()
    # The mark comes first: by that the outbox finds the piece.
    return {COMMENT: comment, **messages[0]}, *messages[1:]
