"""
Rules for comments: which words get which private reply, read as people declare them.

https://developers.facebook.com/docs/instagram-platform/private-replies
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from .value_types import ValueType, read_mappings, read_phrases

MAX_BYTES = 1000  # of a reply, in UTF-8: it is one message
ANY = "*"  # in place of words: whatever the comment says
_KEYS = {"words", "reply"}


@dataclass(frozen=True, slots=True)
class CommentRule:
    """A rule: who comments with one of *words* gets *reply*, or the agent's answer (`None`)."""

    words: tuple[str, ...]
    reply: str | None = None

    def fits(self, comment: str) -> bool:
        """Return whether one of the words is in *comment*; case and blanks aside."""
        said = plain(comment)
        return any(word == ANY or _is_in(plain(word), said) for word in self.words)


def plain(text: str) -> str:
    """Return *text* as it is compared: one case, one form of each character, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _is_in(word: str, said: str) -> bool:
    """Return whether *word* is in *said*, and in scripts with blanks not as a part of another."""
    before = r"(?<![a-z0-9])" if re.match("[a-z0-9]", word) else ""
    after = r"(?![a-z0-9])" if re.search("[a-z0-9]$", word) else ""
    return re.search(f"{before}{re.escape(word)}{after}", said) is not None


def read_rules(raw: object) -> tuple[CommentRule, ...]:
    """Return the rules in their order; raise a `ValueError` that says what they must be."""
    return tuple(map(_rule, read_mappings(raw)))


def _rule(item: dict[str, object]) -> CommentRule:
    if unknown := sorted(map(str, item.keys() - _KEYS)):
        raise ValueError(f"must have only words and reply in a rule; there is {unknown[0]}")
    words, reply = read_phrases(item.get("words", "")), item.get("reply")
    if not words:
        raise ValueError('must have words in each rule, "*" for any')
    if reply is not None and (not isinstance(reply, str) or not reply.strip()):
        raise ValueError("must have text for reply, or none for the agent's answer")
    if reply is not None and len(reply.strip().encode()) > MAX_BYTES:
        raise ValueError(f"must have replies of at most {MAX_BYTES} bytes: one message is allowed")
    return CommentRule(words, reply.strip() if isinstance(reply, str) else None)


RULES = ValueType("list of rules", read_rules)
