"""Emphasis: the asterisks, underscores and tildes that mean it, and those that wait for a pair."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import regex

# Brackets and the like; quotation marks open in one language and close in another.
_OPENING = frozenset("([{<（［｛「『【《〈„‚¿¡")
_CLOSING = frozenset(",.;:!?)]}、。，．！？：；）］｝」』】》〉")
_CLUSTER = regex.compile(r"\X")
# Scripts whose letters fonts can draw a line through; others become boxes in many.
_STRIKABLE = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Nd}\p{P}\p{Sc}\p{Sm}]")
_FACE = 16  # characters that a face made of signs has at most

RUN = re.compile(r"\*+|_+|~+")
# The usual case, by one match: asterisks around words of a line, outside of a word.
USUAL = re.compile(
    r"""
    (?<![*0-9A-Za-z]) ( \*\*? ) (?=[^\W_])
    ( [^*_`~\\\[\]<&$@\n]+ )
    (?<! [\s(\[{<（［｛「『【《〈„‚¿¡] ) \1 (?![*\d])
    """,
    re.VERBOSE,
)


def kinds(run: str) -> tuple[str, ...]:
    """Return the markers that *run* is made of, none if it is nothing that emphasises."""
    if run[0] == "~":
        return (run,) if len(run) == 2 else ()
    return ((), (run,), (run,), (run[:2], run[0]))[len(run)] if len(run) < 4 else ()


def opens(text: str, start: int, end: int) -> bool:
    """
    Return whether the markers `text[start:end]` may begin emphasis.

    A renderer also asks whether a punctuation mark stands beside them, and leaves
    them where a script has no spaces. Here they go wherever they can be a pair.
    """
    after = text[end : end + 1]
    if not after or after.isspace():
        return False
    before = text[start - 1 : start]
    if text[start] == "_" and (before.isalnum() or before == "_"):
        return False
    return after not in _CLOSING or not before or before.isspace() or before in _OPENING


def closes(text: str, start: int, end: int) -> bool:
    """Return whether the markers `text[start:end]` may end emphasis."""
    before = text[start - 1 : start]
    if not before or before.isspace():
        return bool(before) and _is_misplaced(text, start, end)
    after = text[end : end + 1]
    if text[start] == "_" and (after.isalnum() or after == "_"):
        return False
    return before not in _OPENING or not after or after.isspace() or after in _CLOSING


def _is_misplaced(text: str, start: int, end: int) -> bool:
    """Return whether a space came before the last two asterisks of a line instead of behind."""
    if text[start:end] != "**" or text[start - 1] != " " or text[end : end + 1].strip() == "":
        return False
    another, line_end = text.find("**", end), text.find("\n", end)
    return another < 0 or 0 <= line_end < another


def is_literal(text: str, first: tuple[int, int], last: tuple[int, int]) -> bool:
    """Tell a product (`2*3*4`) and a face (`*_*`) from emphasis, by where its markers stand."""
    (opening, begin), (end, closing) = first, last
    seams = (text[opening - 1 : opening] + text[begin], text[end - 1] + text[closing : closing + 1])
    pairs = [seam for seam in seams if len(seam) == 2]
    if any(seam.isdecimal() for seam in pairs):
        return True
    if len(pairs) == 2 and all(seam.isascii() and seam.isalnum() for seam in pairs):
        return True
    is_short = begin - opening == 1 and end - begin <= _FACE
    return is_short and not any(it.isalnum() for it in text[begin:end])


def struck(text: str) -> str:
    """
    Return *text* struck through, as an old price is: unmarked, there would be two prices.

    Of a text with digits, what fonts can't draw a line through stays plain.
    """
    if "://" in text:
        return text
    takes_all = not any(it.isdecimal() for it in text)

    def with_line(cluster: regex.Match[str]) -> str:
        """Return *cluster* with a line through it."""
        takes = takes_all or _STRIKABLE.match(cluster[0])
        return f"{cluster[0]}\u0336" if takes and not cluster[0].isspace() else cluster[0]

    return _CLUSTER.sub(with_line, text)


# --- markers that wait for their other half ---------------------------------


@dataclass(frozen=True, slots=True)
class Opening:
    """
    A marker `text[start:end]` that may begin something.

    *kind* is what ends it, *at* its place among the words so far, *address* where a
    link of HTML leads.
    """

    kind: str
    start: int
    end: int
    at: int
    address: str = ""


class Openings:
    """The markers that wait, innermost last; each is put in and taken out once."""

    def __init__(self) -> None:
        self._waiting: list[Opening] = []
        self._kinds: Counter[str] = Counter()

    def __contains__(self, kind: str) -> bool:
        return self._kinds[kind] > 0

    def add(self, opening: Opening) -> None:
        """Let *opening* wait."""
        self._waiting.append(opening)
        self._kinds[opening.kind] += 1

    def take(self, kind: str) -> Opening:
        """
        Return the innermost marker of *kind*, which must wait; those inside it wait no more.

        Of three asterisks either the one or the two may end first; the rest waits on.
        """
        inner: Opening | None = None
        while True:
            opening = self._waiting.pop()
            self._kinds[opening.kind] -= 1
            if opening.kind == kind:
                if inner and inner.start == opening.end and inner.kind[0] == kind[0]:
                    self.add(inner)
                return opening
            inner = opening

    def innermost_first(self, kinds: tuple[str, ...]) -> list[str]:
        """Return which of *kinds* wait, that of the innermost marker before the others."""
        waiting = [kind for kind in kinds if kind in self]
        if len(waiting) > 1 and self._waiting[-1].kind == waiting[-1]:
            waiting.reverse()
        return waiting

    def clear(self) -> None:
        """Give up all that waits, as the end of a paragraph does."""
        if self._waiting:
            self._waiting.clear()
            self._kinds.clear()
