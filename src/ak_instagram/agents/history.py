"""History: how much of the earlier conversation a request repeats."""

from __future__ import annotations

from dataclasses import replace
from itertools import dropwhile

from .agent import HistoryLine

MAX_BYTES = 16 * 1024  # of all lines, some 4000 tokens of English
MAX_LINE = 4 * 1024  # bytes of one line; the rest of a longer one is cut
_CUT = " …"


def recent(history: tuple[HistoryLine, ...]) -> tuple[HistoryLine, ...]:
    """
    Return the newest lines of *history* that fit into `MAX_BYTES` of UTF-8.

    A line of more than `MAX_LINE` bytes is cut at its end. The first line is never the
    assistant's, since the question that it answers would be missing.
    """
    kept: list[HistoryLine] = []
    room = MAX_BYTES
    for line in reversed(history):
        cut = shortened(line)
        room -= len(cut.text.encode(errors="replace"))
        if room < 0:
            break
        kept.append(cut)
    return begun(tuple(reversed(kept)))


def newer_half(history: tuple[HistoryLine, ...]) -> tuple[HistoryLine, ...]:
    """
    Return the newer of two halves of *history*, measured in bytes, or less.

    None is left of what fits no half, such as a single line.
    """
    room = sum(len(line.text.encode(errors="replace")) for line in history) // 2
    kept: list[HistoryLine] = []
    for line in reversed(history[1:]):
        room -= len(line.text.encode(errors="replace"))
        if room < 0:
            break
        kept.append(line)
    return begun(tuple(reversed(kept)))


def begun(history: tuple[HistoryLine, ...]) -> tuple[HistoryLine, ...]:
    """Return *history* from the person's first line on."""
    return tuple(dropwhile(lambda line: line.role == "assistant", history))


def shortened(line: HistoryLine) -> HistoryLine:
    """Return *line*, cut if it is too long."""
    text = line.text
    if len(text) * 4 <= MAX_LINE or len(encoded := text.encode(errors="replace")) <= MAX_LINE:
        return line
    room = MAX_LINE - len(_CUT.encode())
    return replace(line, text=encoded[:room].decode(errors="ignore") + _CUT)
