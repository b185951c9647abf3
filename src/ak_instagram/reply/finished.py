"""
Finished messages: the parts of an answer that is still being written, as far as they stand alone.

A message is finished when its agent says so, and a paragraph of a text when it is as long as a
message may well be, and nothing that is yet to come can change how it reads. So it is cut at a
blank line alone, never in a list or a block of code, nor behind a line that announces the next.
"""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import re
from collections.abc import Iterable

from ak_instagram.agents.agent import Handoff, MessageEnd, Part, Silence, Text, Withdrawn
from ak_instagram.agents.answers import THOUGHT_SIGN, THOUGHT_TAG

from .split import MAX_TEXT_BYTES

LEAST = MAX_TEXT_BYTES // 4
"""Bytes of what is sent while the rest is written: "Sure!" needs no message of its own."""

_FENCE = re.compile(r"[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})[^`]*$")
_ITEM = r"(?:[-+•◦▪‣–—]|\*(?!\*)|\d{1,9}(?:[.)）、]|\ufe0f?\u20e3)|[A-Za-z]{1,3}[.)])"
_IN_LIST = re.compile(rf"[ \t>]*{_ITEM}(?:\s|$)|[ \t]")
_NO_ITEM = re.compile(rf"(?!{_ITEM}|\d|[`~|>#])\S.{{3}}")  # as far as its beginning tells
_ANNOUNCES = re.compile(r"#{1,6}\s|.*[:：][*_]*\s*$|(\*\*|__).+\1\s*$")
# What other words of the text may explain, close or replace: it is told as a whole.
_HANGS_TOGETHER = re.compile(
    r"<(?!https?:|mailto:)[A-Za-z/!|｜]|\[\^?\d|\[(?:doc|TOOL|/?INST)|\][\[:]"
    r"|\\\[|\\begin\b|\$\$|[\ue200【]|```m"
)
# How models begin to think where their template has opened the thought for them.
_MUSES = re.compile(
    r"(?:(?:ok(?:ay)?|alright|all right|hmm+|so|right|first|well|now|wait)\b[,.!…]*\s+)*"
    r"(?:the (?:user|customer|person|question)\b|we (?:need|have|are|should|must)\b"
    r"|I (?:need|should|have to|must)\b|let(?:'|’)?s\b|let (?:me|us)\b)"
    r"|(?:好的|嗯|首先|用户|我需要)",
    re.IGNORECASE,
)


class FinishedMessages:
    """
    Takes an answer's parts as they come, and gives those that are finished, each once.

    What follows a wish for a person, or for silence, is never finished before the answer is.
    A model that *thinks_first* begins within a thought that only its end tells.
    """

    _at: int
    _bytes: int
    _cuts: list[int]

    def __init__(self, *, thinks_first: bool = False) -> None:
        self.ends_unbegun_thought = False
        """Whether a thought has ended that nothing began: all before was none of the answer."""
        self._finished: list[Part] = []
        self._parts: list[Part] = []  # behind those, and before the text
        self._text = ""
        self._fragments: list[str] = []  # of it, not joined yet
        self._is_whole = False
        self._is_thinking = False
        self._may_think = thinks_first
        self._has_begun = thinks_first
        self._begin_text()

    def feed(self, parts: Iterable[Part]) -> None:
        """Take what the agent says next."""
        for part in parts:
            if isinstance(part, Text):
                self._fragments.append(part.text)
                continue
            if isinstance(part, Withdrawn):
                self._finished, self._parts, self._text, self._fragments = [], [], "", []
                self._is_thinking = False
                self._begin_text()
                continue
            self._read()
            if last := self._text[self._at :]:
                self._read_line(last, len(self._text))
            self._cut()
            self._parts += [Text(self._text), part] if self._text else [part]
            self._is_whole = self._is_whole or isinstance(part, Handoff | Silence)
            if isinstance(part, MessageEnd) and not self._is_thinking and not self._is_whole:
                self._finish()
            self._text = ""
            self._begin_text()

    def take(self) -> list[Part]:
        """Return the parts that have been finished since the last call; a message ends them."""
        self._read()
        self._cut()
        finished, self._finished = self._finished, []
        return finished

    def end(self) -> list[Part]:
        """Return the parts that have not been given, the answer being over."""
        return [*self.take(), *self._parts, *([Text(self._text)] if self._text else [])]

    def _cut(self) -> None:
        """Cut the text where its paragraphs are finished."""
        begin = 0
        for end in [] if self._is_whole else self._cuts:
            self._parts += [Text(self._text[begin:end]), MessageEnd()]
            self._finish()
            begin = end
        if begin:
            self._text, self._at, self._cuts = self._text[begin:], self._at - begin, []

    def _finish(self) -> None:
        self._finished += self._parts
        self._parts = []

    # --- the text: line by line, each once ---

    def _begin_text(self) -> None:
        """Be before the first line of a text."""
        self._at = 0  # where the first line begins that has not ended
        self._cuts = []  # where paragraphs end that are finished
        self._bytes = 0  # of words since the last
        self._fence = ""
        self._is_in_list = self._is_blank = self._announces = self._hangs_together = False

    def _read(self) -> None:
        """Read the lines that have ended since the last call."""
        self._text += "".join(self._fragments)
        self._fragments.clear()
        while (end := self._text.find("\n", self._at)) >= 0:
            self._read_line(self._text[self._at : end], end + 1)
            self._at = end + 1
        # The beginning of a line may be enough to see that it is no item.
        if self._is_in_list and self._is_blank and _NO_ITEM.match(self._text, self._at):
            self._end_paragraph(self._at)

    def _read_line(self, line: str, end: int) -> None:
        """Read *line*, whose line feed is right before *end*."""
        if (self._is_thinking or THOUGHT_SIGN.search(line)) and self._is_thought(line):
            return
        if self._fence:
            ticks = line.strip("> \t\r")
            if ticks.startswith(self._fence) and not ticks.strip(ticks[:1]):
                self._fence = ""
            self._bytes += len(line.encode(errors="replace"))
            return
        if not line.strip():
            if not (self._is_blank or self._is_in_list or self._announces):
                self._end_paragraph(end)
            self._is_blank = True
            return
        if not self._has_begun:
            self._has_begun = True
            self._may_think = bool(_MUSES.match(line.lstrip()))
        is_in_list = bool(_IN_LIST.match(line)) if self._is_blank or not self._is_in_list else True
        if self._is_in_list and not is_in_list:
            self._end_paragraph(self._at)
        self._is_in_list = is_in_list
        self._is_blank = False
        self._announces = bool(_ANNOUNCES.match(line))
        if fence := _FENCE.match(line):
            self._fence = fence[1]
        if _HANGS_TOGETHER.search(line):
            self._hangs_together = True
        self._bytes += len(line.encode(errors="replace"))

    def _is_thought(self, line: str) -> bool:
        """Return whether any of *line* belongs to a thought, and note what begins and ends."""
        tags = list(THOUGHT_TAG.finditer(line))
        for tag in tags:
            if tag["end"] and not self._is_thinking:
                self.ends_unbegun_thought = True
            self._is_thinking = not tag["end"]
            self._begin_words()
        return self._is_thinking or bool(tags)

    def _begin_words(self) -> None:
        """Forget what was a thought: the answer's own words begin."""
        self._may_think = self._may_think and self._is_thinking
        self._bytes, self._fence = 0, ""
        self._is_in_list = self._announces = self._hangs_together = False

    def _end_paragraph(self, at: int) -> None:
        """Note that a paragraph ends *at* there, which may be where the text is cut."""
        if self._bytes >= LEAST and not (self._may_think or self._hangs_together):
            self._cuts.append(at)
            self._bytes = 0


def in_messages(parts: Iterable[Part]) -> list[Part]:
    """Return *parts* with an end behind each message that goes out while the rest is written."""
    messages = FinishedMessages()
    messages.feed(parts)
    return messages.end()
