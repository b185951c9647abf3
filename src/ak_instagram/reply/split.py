"""Text to pieces that the Send API accepts, cut where a reader would pause."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import regex

# https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
MAX_TEXT_BYTES = 1000

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pause:
    """
    A place where a reader pauses, such as the end of a line.

    *pattern* reaches as far as it may and steps back from there, to the cut nearest to
    the limit; *sees* is the number of characters behind the limit that show whether a
    pause begins right at it. No text without *sign* has one.
    """

    sign: str
    sees: int
    pattern: re.Pattern[str]

    def last(self, text: str, start: int, end: int, kept: Sequence[Span]) -> int | None:
        """Return the last cut in `[start, end]` of *text* that hurts nothing that stays whole."""
        while start <= end and self.sign in text[start : end + self.sees]:
            found = self.pattern.match(text, start, end + self.sees)
            if found is None:
                return None
            cut = found.end()
            around = _start_around(cut, kept)
            if around is None and not is_extended(text, cut + text[cut].isspace()):
                return cut
            end = cut - 1 if around is None else around
        return None


# White space that may go at a cut: no no-break space.
_SPACE = r"[^\S\u00a0\u2007\u202f]"
_SPACES = re.compile(f"{_SPACE}*+")
_CLOSE = r"[)\]}\"'»›”’」』）】》〉｝］]{0,3}"
# Terminators of other scripts than Latin need no space behind them.
_STOP = "。．！？｡؟۔।॥։၊။፧።៕᠃᠉‼⁇⁈⁉﹖﹗"
_MARK = r"[!-/:-@\[-`{-~\u2010-\u205e\u3001-\u3011\u3014-\u301f\uff01-\uff20]"

# The ends of what a reader takes in at once, best first.
_PAUSES = tuple(
    Pause(sign, sees, re.compile(rf"(?s:.*)(?:{end})"))
    for sign, sees, end in (
        ("\n", 2, rf"(?<=\S)(?={_SPACE}*?\n{_SPACE}*?\n)"),  # of a paragraph
        ("\n", 1, r"(?<=\S)(?=[^\S\n\u00a0\u2007\u202f]*+\n)"),  # of a line
        # of a sentence; a full stop behind a number may be a date's or a list's
        (
            "",
            1,
            rf"(?:(?<=\D)[.…]|[!?{_STOP}]){_CLOSE}(?={_SPACE})|[{_STOP}]{_CLOSE}(?!{_MARK}|\Z)",
        ),
        ("", 1, rf"(?<=\S)(?={_SPACE})"),  # of a word
    )
)
# Full-width punctuation and curly quotes end a link that no space does.
_LINK = re.compile(
    r"https?://[^\s<>\"«»‘-‟‹›\u3001-\u3003\u3008-\u3011\u3014-\u301f\u30fb\uff01-\uff0f\uff1a-\uff20"
    r"\uff3b-\uff40\uff5b-\uff65]++"
)


def split(text: str, limit: int = MAX_TEXT_BYTES, whole: Iterable[Span] = ()) -> tuple[str, ...]:
    """
    Return *text* in order, in pieces of at most *limit* UTF-8 bytes.

    A piece ends with a paragraph, else a line, a sentence, a word. Grapheme
    clusters, links and the *whole* spans are cut only if they don't fit a piece by
    themselves. White space around a cut is dropped; blank text has no pieces.
    """
    if limit < 4:
        raise ValueError("limit must hold any one character (4 bytes)")
    if fitting_end(text, 0, limit) == len(text):
        piece = text.strip()
        return (piece,) if piece else ()
    kept = [span for span in sorted(set(whole)) if fitting_end(text, span[0], limit) >= span[1]]
    pieces = []
    at, stop = after_space(text, 0), len(text.rstrip())
    while at < stop:
        cut = _cut(text, at, stop, limit, kept)
        if piece := text[at:cut].strip():
            pieces.append(piece)
        at = after_space(text, cut)
    return tuple(pieces)


def _cut(text: str, start: int, stop: int, limit: int, kept: Sequence[Span]) -> int:
    """Return where the piece that begins at *start* ends."""
    farthest = fitting_end(text, start, limit)
    if farthest >= stop:
        return stop
    end = _start_around(farthest, kept)
    if end is None or end <= start:
        end = _link_around(text, start, farthest, limit) or farthest
    cut = _best_pause(text, start, end, kept) or cluster_end(text, start, end)
    return cut if cut > start else farthest


def _start_around(at: int, spans: Sequence[Span]) -> int | None:
    """Return where the one of *spans* begins that a cut at *at* would hurt, if there is one."""
    nearest = bisect_left(spans, (at,)) - 1
    return spans[nearest][0] if nearest >= 0 and at < spans[nearest][1] else None


def _link_around(text: str, start: int, end: int, limit: int) -> int | None:
    """Return where the link begins that a cut at *end* would hurt, if it fits a piece itself."""
    word = _PAUSES[-1].pattern.match(text, start, end)
    for link in _LINK.finditer(text, word.end() if word else start, end + limit):
        if link.start() >= end:
            break
        if link.end() > end:
            fits = link.start() > start and fitting_end(text, link.start(), limit) >= link.end()
            return link.start() if fits else None
    return None


def _best_pause(text: str, start: int, end: int, kept: Sequence[Span]) -> int | None:
    """
    Return the best cut in `(start, end]` that hurts no word, if there is one.

    A stronger pause wins over a later one, unless it leaves less than a quarter of
    what fits: "Sure!" needs no message of its own.
    """
    enough = max(start + 1, start + (end - start) // 4)
    for pause in _PAUSES:
        if cut := pause.last(text, enough, end, kept):
            return cut
    return max(pause.last(text, start + 1, enough, kept) or 0 for pause in _PAUSES) or None


# --- characters as people see them: bytes that fit, whole grapheme clusters -

# Extended grapheme clusters: https://www.unicode.org/reports/tr29/
_CLUSTER = regex.compile(r"\X")
_EXTENDING = regex.compile(r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]")


def fitting_end(text: str, start: int, limit: int) -> int:
    """Return the farthest end for which `text[start:end]` is at most *limit* UTF-8 bytes."""
    head = text[start : start + limit]
    if head.isascii():
        return start + len(head)
    return start + len(head.encode()[:limit].decode(errors="ignore"))


def cluster_end(text: str, start: int, end: int) -> int:
    """Return the last boundary between grapheme clusters in `(start, end]`, or *start*."""
    # One character more than is asked for shows whether *end* is a boundary too. A copy,
    # because the library looks back through all flags before a flag.
    around = text[start : end + 1]
    if around.isascii() and "\r" not in around:
        return end
    boundary = start
    for cluster in _CLUSTER.finditer(around):
        if start + cluster.end() > end:
            break
        boundary = start + cluster.end()
    return boundary


def is_extended(text: str, end: int) -> bool:
    """Return whether the character at *end* belongs to the one before it, as an accent does."""
    return end < len(text) and text[end] > "\u02ff" and bool(_EXTENDING.match(text, end))


def after_space(text: str, at: int) -> int:
    """Return the first place from *at* on that isn't white space, nor a mark on one."""
    spaces = _SPACES.match(text, at)
    end = spaces.end() if spaces else at
    return end - 1 if end > at and is_extended(text, end) else end
