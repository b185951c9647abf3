"""Inline Markdown: emphasis, code, links and the like within lines, read from left to right."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape

from . import emphasis, latex, links
from .emphasis import Opening, Openings

_MAX_TITLE = 2000  # characters; nothing that long is the title of a link

# Whatever may be of a marker. Spelled out, because that is searched for fastest.
_SIGN = re.compile(r"\\|`|\*\*|\*|_|~|\[|\]|<|&|\$|@|://")
_PARAGRAPH_END = re.compile(r"\n(?=\n|[ \t>]*+(?:[-+*•☐☑]|\d{1,9}[.)])[ \t])|\Z")

_NAME = re.compile(r"@[\w.]+")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[Xx][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_USUAL_CODE = re.compile(r"`([^`\s][^`\n]*+)`(?!`)")
_TICKS = re.compile(r"`+")
_NOTE = re.compile(r"\[\^([^\[\]\s]{1,40}+)\]:?")


@dataclass(frozen=True, slots=True)
class Document:
    """All that a line has to know of its whole text: links and notes there, tags closed there."""

    definitions: Mapping[str, links.Target] = field(default_factory=dict)
    notes: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()


def inline_text(text: str, document: Document) -> str:
    """Return the words of *text*: some lines, each behind its line feed, or a part of one."""
    return InlineReader(text, document).read()


class InlineReader:
    """A text on the way from Markdown to words; each sign is read once, by the verb for it."""

    def __init__(self, text: str, document: Document) -> None:
        self._text = text
        self._document = document
        self._words: list[str] = []
        self._done = 0  # up to here the text is among the words
        self._openings = Openings()
        self._paragraph_end = -1
        self._linked = 0  # no link is around what was among the words by then
        self._address_end = -1  # an address ends here, and markers behind it
        self._ticks: dict[int, list[int]] = {}
        self._comments_end = len(text)

    def read(self) -> str:
        """Return the words."""
        for sign in _SIGN.finditer(self._text):
            at = sign.start()
            if at >= self._done:
                _VERBS[sign[0]](self, at)
        end = len(self._text)
        self._put(end, end, "")
        return "".join(self._words)

    def _put(self, at: int, end: int, words: str) -> None:
        """Let *words* stand for the text from *at* to *end*."""
        before = self._text[self._done : at]
        if before and self._done == self._address_end and links.GOES_ON.match(before):
            before = f" {before}"  # or the link would lead elsewhere
        self._words += (before, words)
        self._done = end
        if not words:
            if at == self._address_end:
                self._address_end = end
        elif "://" in words and links.OPEN_END.match(words, words.rindex("://")):
            self._address_end = end

    def _wait(self, kind: str, at: int, end: int, address: str = "") -> None:
        """Let the marker from *at* to *end* stand as it is, unless its other half comes."""
        self._begin_paragraph(at)
        self._put(at, end, self._text[at:end])
        self._openings.add(Opening(kind, at, end, len(self._words) - 1, address))

    def _begin_paragraph(self, at: int) -> None:
        """Give up what waits if its paragraph ended before *at*."""
        if at > self._paragraph_end:
            self._openings.clear()
            end = _PARAGRAPH_END.search(self._text, at)
            self._paragraph_end = end.start() if end else len(self._text)

    def backslash(self, at: int) -> None:
        """Read a formula, a sign that is meant as it stands, or the end of a line."""
        text = self._text
        if formula := latex.formula_at(text, at):
            self._put(at, formula[1], formula[0])
        elif escape := _ESCAPE.match(text, at):
            self._put(at, escape.end(), escape[1])
        elif text.startswith("\n", at + 1):
            self._put(at, at + 1, "")

    def dollar(self, at: int) -> None:
        """Read a formula; most dollars are those of prices."""
        if formula := latex.formula_at(self._text, at):
            self._put(at, formula[1], formula[0])

    def tick(self, at: int) -> None:
        """Read code; ticks that no others end stay."""
        text = self._text
        if usual := _USUAL_CODE.match(text, at):
            self._put(at, usual.end(), usual[1])
            return
        ticks = _TICKS.match(text, at)
        assert ticks is not None  # there is one at least
        begin, length = ticks.end(), len(ticks[0])
        end = self._next_ticks(begin, length)
        if end is None:
            self._put(at, begin, ticks[0])
            return
        code = text[begin:end].replace("\n", " ")
        is_padded = code[0] == code[-1] == " " and not code.isspace()
        self._put(at, end + length, code[1:-1] if is_padded else code)

    def _next_ticks(self, begin: int, length: int) -> int | None:
        """Return where the next *length* ticks of the same paragraph are, if there are any."""
        if not self._ticks:
            for ticks in _TICKS.finditer(self._text):
                self._ticks.setdefault(len(ticks[0]), []).append(ticks.start())
        places = self._ticks.get(length, [])  # part of a run, if its first is escaped
        nearest = bisect_left(places, begin)
        if nearest == len(places) or "\n\n" in self._text[begin : places[nearest]]:
            return None
        return places[nearest]

    def asterisk(self, at: int) -> None:
        """Read emphasised words, at once if nothing else is among them."""
        if usual := emphasis.USUAL.match(self._text, at):
            self._put(at, usual.end(), usual[2])
        else:
            self.marker(at)

    def marker(self, at: int) -> None:
        """Read the marker of an emphasis: it ends one, begins one, or stays."""
        text = self._text
        run = emphasis.RUN.match(text, at)
        assert run is not None  # one marker at least
        end = run.end()
        kinds = emphasis.kinds(run[0])
        self._begin_paragraph(at)
        if emphasis.closes(text, at, end):
            at = self._close(kinds, at, end)
        if at == end:
            return
        if kinds and emphasis.opens(text, at, end):
            for kind in emphasis.kinds(text[at:end]):
                self._wait(kind, at, at + len(kind))
                at += len(kind)
        else:
            self._put(at, end, text[at:end])

    def _close(self, kinds: tuple[str, ...], at: int, end: int) -> int:
        """End what waits for markers of *kinds*; return where the rest of them begins."""
        for kind in self._openings.innermost_first(kinds):
            if kind not in self._openings:  # it was inside of what has just ended
                continue
            opening = self._openings.take(kind)
            begin, at = at, at + len(kind)
            first, last = (opening.start, opening.end), (begin, at)
            if emphasis.is_literal(self._text, first, last):
                self._put(begin, at, kind)
                continue
            self._put(begin, at, "")
            self._words[opening.at] = ""
            if kind == "~~":
                self._words.append(emphasis.struck(self._gathered(opening)))
        return at

    def _gathered(self, opening: Opening) -> str:
        """Take what follows *opening*, itself included, from the words, and return the rest."""
        inside = "".join(self._words[opening.at + 1 :])
        del self._words[opening.at :]
        return inside

    def bracket(self, at: int) -> None:
        """Read a link, a note's number, or what may be the beginning of a link."""
        text = self._text
        is_image = at > self._done and text[at - 1] == "!"
        if not is_image and (link := links.USUAL.match(text, at)):
            self._put_link(at, at, link.end(), links.Target(link[2]), link[1])
        elif (note := _NOTE.match(text, at)) is None:
            self._wait("]", at - is_image, at + 1)
        elif note[1] in self._document.notes:
            self._put(at, note.end(), f"[{note[1]}]")
        else:  # the note is not there
            self._put(at - (text[at - 1] == " "), note.end(), "")

    def end_bracket(self, at: int) -> None:
        """Read the end of a title, and the target behind it."""
        self._begin_paragraph(at)
        if "]" not in self._openings:
            return
        opening = self._openings.take("]")
        is_image = self._text[opening.start] == "!"
        if at - opening.end > _MAX_TITLE or (opening.start < self._linked and not is_image):
            return
        target = links.target_at(self._text, at + 1) or links.defined_target(
            self._document.definitions, self._text, opening.end, at
        )
        if target is not None:
            linked = self._linked
            self._put(at, at, "")
            title, (link, end) = self._gathered(opening), target
            if is_image and self._text.startswith(("](", "]["), end):  # the picture of a link
                link = links.Target("")
            self._put_link(opening.start, at, end, link, title)
            self._linked = linked if is_image else opening.start

    def _put_link(self, start: int, at: int, end: int, target: links.Target, title: str) -> None:
        """Let a link that begins at *start* stand for the text from *at* to *end*."""
        words = links.written(title.strip(), target)
        if words[:1] == "(" and self._text[start - 1 : start].isalnum():
            words = f" {words}"  # a bare address right behind a word
        self._put(at, end, words)
        self._linked = start

    def angle(self, at: int) -> None:
        """Read HTML and addresses in angle brackets; hearts and the like stay."""
        text = self._text
        if line_break := links.BREAK.match(text, at):
            self._put(at, line_break.end(), "\n")
        elif address := links.AUTOLINK.match(text, at):
            self._put(at, address.end(), links.written("", links.Target(address[1])))
        elif text.startswith("<!--", at):
            end = text.find("-->", at + 4, self._comments_end)
            if end < 0:
                self._comments_end = at  # nor does any comment that begins later end
            else:
                self._put(at, end + 3, "")
        elif (tag := links.TAG.match(text, at)) and tag[2].lower() in self._document.tags:
            self._tag(tag)

    def _tag(self, tag: re.Match[str]) -> None:
        """Read a tag of a pair."""
        at, end = tag.span()
        is_link = tag[2] in ("a", "A")
        if is_link and tag[1] and "</a>" in self._openings:
            opening = self._openings.take("</a>")
            self._put(at, at, "")
            target = links.Target(opening.address)
            self._put(at, end, links.written(self._gathered(opening).strip(), target))
        elif is_link and (address := links.href(tag[0])):
            self._wait("</a>", at, end, address)
        else:
            words = links.instead_of(tag)
            self._put(at, end, words.lstrip("\n") if self._text[at - 1] == "\n" else words)

    def entity(self, at: int) -> None:
        """Read a character that is spelled out."""
        if entity := _ENTITY.match(self._text, at):
            self._put(at, entity.end(), unescape(entity[0]))

    def name(self, at: int) -> None:
        """Read a person's name: an underscore in it emphasises nothing."""
        if name := _NAME.match(self._text, at):
            self._put(at, name.end(), name[0])

    def address(self, at: int) -> None:
        """Read an address that is written out: `_` and `*` in it emphasise nothing."""
        text = self._text
        if text[at - 4 : at].lower() in ("http", "ttps") and (
            address := links.WRITTEN_OUT.match(text, at + 3)
        ):
            self._put(at, address.end(), text[at : address.end()])


_VERBS: Mapping[str, Callable[[InlineReader, int], None]] = {
    "\\": InlineReader.backslash,
    "$": InlineReader.dollar,
    "`": InlineReader.tick,
    "*": InlineReader.asterisk,
    "**": InlineReader.asterisk,
    "_": InlineReader.marker,
    "~": InlineReader.marker,
    "[": InlineReader.bracket,
    "]": InlineReader.end_bracket,
    "<": InlineReader.angle,
    "&": InlineReader.entity,
    "@": InlineReader.name,
    "://": InlineReader.address,
}
