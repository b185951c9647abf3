"""Text to pieces that the Send API accepts, cut where a reader would pause."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import TypeAlias

import regex

from ak_instagram.text import sanitize

# Extended grapheme clusters: https://www.unicode.org/reports/tr29/
_CLUSTER = regex.compile(r"\X")


def fitting_end(text: str, start: int, limit: int) -> int:
    """Return the farthest end for which `text[start:end]` is at most *limit* UTF-8 bytes."""
    head = text[start : start + limit].encode()[:limit]
    return start + len(head.decode(errors="ignore"))


def cluster_end(text: str, start: int, end: int) -> int:
    """Return the last boundary between grapheme clusters in `(start, end]`, or *start*."""
    boundary = start
    # One character more than is asked for shows whether *end* is a boundary too. A copy,
    # because the library looks back through all flags before a flag.
    for cluster in _CLUSTER.finditer(text[start : end + 1]):
        if start + cluster.end() > end:
            break
        boundary = start + cluster.end()
    return boundary


# https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
MAX_TEXT_BYTES = 1000

Span: TypeAlias = tuple[int, int]

# White space that may go at a cut: no no-break space, and none that carries a mark.
_SPACE = r"(?:[\s\x1c-\x1f--\u00a0\u2007\u202f](?![\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]))"
_SPACES = regex.compile(rf"{_SPACE}*", regex.V1)
# A sentence ends with a terminator (https://www.unicode.org/reports/tr29/), which
# other scripts than Latin need not follow with a space.
_PAUSE = regex.compile(
    rf"""
      (?P<stop> [\p{{SB=ATerm}}\p{{SB=STerm}}\u2026] \p{{SB=Close}}{{0,3}} ) (?P<space> {_SPACE}+ )
    | (?P<stop> [\p{{SB=STerm}}--!?] \p{{SB=Close}}{{0,3}} ) (?P<space>) (?! [\p{{P}}\p{{M}}] )
    | (?P<space> {_SPACE}+ )
    """,
    regex.V1 | regex.VERBOSE,
)
# Full-width punctuation and curly quotes end a link that no space does.
_LINK = regex.compile(r"""https?://[\S--<>"\p{Pi}\p{Pf}--[\p{P}&&[\p{EA=W}\p{EA=F}]]]+""", regex.V1)


def split(text: str, limit: int = MAX_TEXT_BYTES, whole: Iterable[Span] = ()) -> tuple[str, ...]:
    """
    Return *text* in order, in pieces of at most *limit* UTF-8 bytes.

    A piece ends with a paragraph, else a line, a sentence, a word. Grapheme
    clusters, links and the *whole* spans (of storable text) are cut only if they
    don't fit a piece by themselves. White space around a cut is dropped; blank text
    has no pieces.
    """
    if limit < 4:
        raise ValueError("limit must hold any one character (4 bytes)")
    text = sanitize(text)
    if len(text.encode()) <= limit:
        piece = text.strip()
        return (piece,) if piece else ()
    kept = _Kept(text, whole, limit)
    pieces = []
    at, stop = _after_space(text, 0), len(text.rstrip())
    while at < stop:
        cut = _cut(text, at, stop, limit, kept)
        if piece := text[at:cut].strip():
            pieces.append(piece)
        at = _after_space(text, cut)
    return tuple(pieces)


class _Kept:
    """The spans that fit a piece and shall not be cut."""

    def __init__(self, text: str, whole: Iterable[Span], limit: int) -> None:
        links = (link.span() for link in _LINK.finditer(text))
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted({*whole, *links}):
            nested = self._ends and start < self._ends[-1]
            if not nested and fitting_end(text, start, limit) >= end:
                self._starts.append(start)
                self._ends.append(end)

    def start_around(self, at: int) -> int | None:
        """Return where the span begins that a cut at *at* would hurt, if there is one."""
        nearest = bisect_left(self._starts, at) - 1
        if nearest >= 0 and at < self._ends[nearest]:
            return self._starts[nearest]
        return None


def _after_space(text: str, at: int) -> int:
    """Return the first place from *at* on that isn't white space."""
    space = _SPACES.match(text, at)
    return space.end() if space else at


def _cut(text: str, start: int, stop: int, limit: int, kept: _Kept) -> int:
    """Return where the piece that begins at *start* ends."""
    farthest = fitting_end(text, start, limit)
    if farthest >= stop:
        return stop
    around = kept.start_around(farthest)
    end = farthest if around is None or around <= start else around
    cut = _best_pause(text, start, end, kept) or cluster_end(text, start, end)
    return cut if cut > start else farthest


def _best_pause(text: str, start: int, end: int, kept: _Kept) -> int | None:
    """
    Return the best cut in `(start, end]` that hurts no word, if there is one.

    A stronger pause wins over a later one, unless it leaves less than a quarter of
    what fits: "Sure!" needs no message of its own.
    """
    last: dict[int, int] = {}
    # Two characters more show a paragraph's end that begins at *end*.
    for pause in _PAUSE.finditer(text, start, end + 2):
        cut = pause.start("space")
        if start < cut <= end and kept.start_around(cut) is None:
            last[_weakness(pause)] = cut
    enough = start + (end - start) // 4
    strong = (last[level] for level in sorted(last) if last[level] >= enough)
    return next(strong, max(last.values(), default=None))


def _weakness(pause: regex.Match[str]) -> int:
    """Rank *pause*: 0 ends a paragraph, 1 a line, 2 a sentence, 3 a word."""
    lines = pause["space"].count("\n")
    return 2 - min(lines, 2) if lines or pause["stop"] else 3
