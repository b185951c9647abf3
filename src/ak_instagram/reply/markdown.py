"""
Markdown to text that reads well where it is shown as it was written.

Instagram shows a message's characters as they are. Markers that only a renderer
understands go; what also reads as plain text (lists, a line below a sum) stays. People
write `2 * 3`, `<3`, `> 5 kg` and `1) a` and mean just that, so what is not clearly
Markdown stays as well.
"""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .inline import Document, inline_text
from .leftovers import ROLES, footnotes, without_citations, without_leftovers
from .links import BREAK, closed_tags, taken_definitions

SIGNS = "\\`*_~[<>&$|#"
"""A text without any of these, or a rule, is no Markdown, or reads as it should."""
_RULED = r"\n[ \t]*\n[ \t]*---"
_SIGN = re.compile(rf"[{re.escape(SIGNS)}]|{_RULED}|\A[ \t]*---")
AS_WRITTEN = re.compile(
    rf"(?!\s*+(?:{ROLES}) ?[:：])(?!\s*---|(?s:.*){_RULED})"
    rf"[^{re.escape(SIGNS)}\r†\ue200c]*+(?:c(?!iteturn)[^{re.escape(SIGNS)}\r†\ue200c]*+)*"
)
"""Matches what `plain` returns as it is, spaces around it aside; the usual short answer."""

# References to something elsewhere in the text: notes, sources, definitions.
_REFERENCE = re.compile(r"\[[\^d\d]|\][\[:]")


@dataclass(frozen=True, slots=True)
class Plain:
    """A text without Markdown; *verbatim* are the spans of it that are blocks of code."""

    text: str
    verbatim: tuple[tuple[int, int], ...] = ()


def plain(markdown: str) -> Plain:
    """Return *markdown* as text for people, and where its blocks of code are."""
    source = markdown
    if "\r" in source:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
    source = without_leftovers(source).rstrip().lstrip("\n")
    if not _SIGN.search(source):
        return Plain(source)
    text, document = read_document("\n" + source)
    texts: list[str] = []
    verbatim: list[tuple[int, int]] = []
    end = -1  # of the text so far, without the line feed before it
    for block in blocks(text):
        words = block.words(document)
        if isinstance(block, Code) and words:
            verbatim.append((end + 1, end + len(words)))
        texts.append(words)
        end += len(words)
    return Plain("".join(texts)[1:], tuple(verbatim))


def read_document(text: str) -> tuple[str, Document]:
    """Return *text* without what is only defined in it, and what its lines have to know."""
    tags = closed_tags(text)
    if not _REFERENCE.search(text):
        return text, Document(tags=tags)
    text, definitions = taken_definitions(text)
    if "```" not in text:
        text = without_citations(text)
    return text, Document(definitions, footnotes(text), tags)


# --- blocks: code, tables, and prose between them ---------------------------

_BLOCK = re.compile(
    r"""
    \n (?=[ \t>`|:\-+*\d]) (?P<before> [ \t>]*+ (?: (?: [-+*] | \d{1,9}[.)] ) [ \t]++ )* )
    (?: (?P<ticks> `{3,}+ ) (?P<info> [^`\n]*+ ) | (?P<rule> [-:|] [-:| \t]*+ ) ) (?=\n|\Z)
    """,
    re.VERBOSE,
)
_BEFORE_HEAD = re.compile(r"\n[ \t>]*+(?:(?:[-+*]|\d{1,9}[.)])[ \t]++)*")
_FENCE_END = r"(?: (?P<ticks>`{3,}+) [ \t]*+ (?=\n|\Z) )?"
_LINE = re.compile(rf"\n [ \t]*+ {_FENCE_END} [^\n]*+", re.VERBOSE)
_QUOTED_LINE = re.compile(rf"\n [ \t]*+ > [ \t>]*+ {_FENCE_END} [^\n]*+", re.VERBOSE)
_ROW = re.compile(r"(\n[ \t>]*+)([^|\n]*+\|[^\n]*+)")
_PIPE = re.compile(r"(?<!\\)\|")
_CELL_SIGN = re.compile(r"[\\`*_~\[<&$@]")
_INDENT = re.compile(r"[ \t>]*")


@dataclass(frozen=True, slots=True)
class Prose:
    """Lines of sentences, each behind its line feed."""

    text: str

    def words(self, document: Document) -> str:
        """Return the lines without Markdown."""
        return inline_text(tidied(self.text), document)


@dataclass(frozen=True, slots=True)
class Code:
    """A block of code without its fence, each line behind its line feed."""

    text: str

    @classmethod
    def behind(cls, fence: re.Match[str], text: str) -> tuple[Code, int]:
        """Return the code of *text* behind *fence*, and where its block ends."""
        begin, before = fence.end(), fence["before"]
        end = after = begin
        for line in (_QUOTED_LINE if ">" in before else _LINE).finditer(text, begin):
            if line.start() != after:  # the quote is over
                break
            after = line.end()
            if line["ticks"] and len(line["ticks"]) >= len(fence["ticks"]):
                break
            end = after
        code = text[begin:end]
        info = fence["info"].strip()
        if len(info.split()) > 1:  # more than the name of a language
            code = f"\n{before}{info}{code}"
        elif code and not before.isspace() and before.strip("> \t"):  # an item begins with it
            lead = _INDENT.match(code, 1, 1 + len(before))
            code = f"\n{before}{code[lead.end() if lead else 1 :]}"
        return cls(code), after

    def words(self, document: Document) -> str:
        """Return the code as it is."""
        return self.text


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table, each with its line feed and what stands before it on its line."""

    rows: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def around(cls, rule: re.Match[str], text: str, start: int) -> tuple[Table, int]:
        """Return the table of *text* whose head begins at *start*, above *rule*, and its end."""
        before = _BEFORE_HEAD.match(text, start)
        assert before is not None  # it needs no more than the line feed
        rows = [(before[0], cells_of(text[before.end() : rule.start()]))]
        quotes, end = rule["before"].count(">"), rule.end()
        while (row := _ROW.match(text, end)) and row[1].count(">") == quotes:
            rows.append((row[1], cells_of(row[2])))
            end = row.end()
        return cls(tuple(rows)), end

    def words(self, document: Document) -> str:
        """Return the rows as lines, a pipe between cells."""
        lines = []
        for before, cells in self.rows:
            if len(cells) > 1 and not cells[0]:  # the corner above the names of the rows
                cells = cells[1:]
            row = " | ".join(cells)
            if _CELL_SIGN.search(row):
                row = " | ".join(inline_text(BREAK.sub(", ", it), document) for it in cells)
            lines.append(before + row.lstrip())
        return "".join(lines)


def cells_of(row: str) -> tuple[str, ...]:
    """Return the cells of *row*, which a backslash keeps a pipe in."""
    cells = _PIPE.split(row.strip()) if "\\" in row else row.strip().split("|")
    if len(cells) > 1 and not cells[0]:
        del cells[0]
    if len(cells) > 1 and not cells[-1]:
        del cells[-1]
    return tuple(cell.strip() for cell in cells)


def blocks(text: str) -> Iterator[Prose | Code | Table]:
    """Yield what *text*, each line of which is behind a line feed, is made of, in order."""
    done = 0
    for found in _BLOCK.finditer(text) if "```" in text or "|" in text else ():
        start = found.start()
        if start < done:  # inside the block before
            continue
        block: Code | Table
        if found["ticks"]:
            block, end = Code.behind(found, text)
        elif "-" in found["rule"] and "|" in found["rule"]:
            start = text.rfind("\n", done, start)
            if start < 0 or "|" not in text[start : found.start()]:
                continue
            block, end = Table.around(found, text, start)
        else:
            continue
        if start > done:
            yield Prose(text[done:start])
        yield block
        done = end
    if done < len(text):
        yield Prose(text[done:])


# --- lines: quotes, bullets, headings, as they look without a renderer ------

# Only lines that may have to look different; most items of lists may stay as they are.
_START = re.compile(
    r"""
    \n (?= [ \t>\#] | [-+*][ \t][ \t\[\#] | \d{1,9}[.)][ \t][ \t\[\#] )
    (?P<indent> [ \t]*+ ) (?P<quote> (?: > [ \t]? )* ) (?P<inset> [ \t]*+ )
    (?: (?P<blank> (?=\n|\Z) )
      | (?P<heading> \#{1,6}[ \t]++ | \#{2,6}(?=[^\W\d_]) )
      | (?P<bullet> [-+*] | \d{1,9}[.)] ) (?P<gap> [ \t]++ | (?=\n|\Z) )
        (?: \[(?P<task>[ xX])\][ \t]++(?=\S) | \#{1,6}[ \t]++ )? )?
    """,
    re.VERBOSE,
)
_ODD_END = re.compile(r"\n(?:(?<=[ \t#]\n)|&nbsp;|\u00a0)")
_TRAILING = re.compile(r"(?<![ \t])[ \t]++(?=\n|\Z)")
_SPACER = re.compile(r"\n++(?:&nbsp;|\u00a0)+(?=\n\n)")
# A rule that stands alone; what is right below a line, people draw.
_RULE = re.compile(r"(\A|\n[ \t]*)(?:\n[ \t]*(?:-{3,}|\*{3,})(?:\n(?=\n|\Z)|(?=\n|\Z)))+")
_STAR = re.compile(r"(\n[ \t]*)\*(?=[ \t]\*{0,3}[^\s*])")
# What is more than something, and faces: no quotes.
_COMPARES = frozenset("0123456789.,:;<>=_^-+/|%$€£¥!?()~")
_QUOTES = 3  # levels that somebody means
_CLOSED_HEADING = re.compile(r"(\n[ \t>]*+\#{1,6}[ \t][^\n]*?)(?<![ \t])[ \t]++\#++(?=\n|\Z)")


def tidied(text: str) -> str:
    """
    Return *text*, each line of which is behind its line feed, without what shapes its lines.

    Headings and quotes lose their marks, bullets the wide gap behind them, and lines the
    spaces at their ends. Asterisks that are bullets look like some, rules between
    paragraphs go, and items stand below the words of the item that they belong to.
    """
    if _ODD_END.search(text) or text.endswith((" ", "\t", "#")):
        text = _TRAILING.sub("", text)
        text = _SPACER.sub("", text)
        text = _CLOSED_HEADING.sub(r"\1", text)
    if "---" in text or "***" in text:
        text = _RULE.sub(r"\1", text)
    text = _START.sub(LineStarts().words, text)
    return _STAR.sub(r"\1•", text) if len(_STAR.findall(text)) > 1 else text


class LineStarts:
    """The beginnings of lines, in order."""

    def __init__(self) -> None:
        # Of the items around: where each is indented, and where its words begin now.
        self._items: list[tuple[int, int]] = []
        # Where the last line of a quote ended, and whether its marks go.
        self._quoted = -1
        self._is_quote = False

    def words(self, start: re.Match[str]) -> str:
        """Return what stands for the beginning of a line that *start* is."""
        indent, quote, inset, blank, _, bullet, gap, task = start.groups()
        if quote and self._is_quotation(start, quote, inset):
            indent = quote = ""
        if blank is not None:
            return "\n"
        if quote:  # its marks get a space behind each if the writer makes spaces at all
            before = indent + ("> " * quote.count(">") if "> " in quote else quote) + inset
        else:
            before = self._inside(len(indent.expandtabs(4)), bullet) if indent else ""
        if bullet is None:
            return f"\n{before}"
        if not quote and not indent:
            self._items = [(0, len(bullet) + 1)]
        mark = bullet if task is None else "☐" if task == " " else "☑"
        return f"\n{before}{mark}{gap[:1]}"

    def _is_quotation(self, start: re.Match[str], quote: str, inset: str) -> bool:
        """Return whether *quote* are marks in front of words; a quote's first line tells."""
        text, begin = start.string, start.end("inset")
        if start.start() != self._quoted:
            first = text[begin : begin + 1]
            is_shallow = quote.count(">") <= _QUOTES
            self._is_quote = is_shallow and not inset and first.strip() not in ("", *_COMPARES)
        end = text.find("\n", begin)
        self._quoted = len(text) if end < 0 else end
        return self._is_quote

    def _inside(self, indent: int, bullet: str | None) -> str:
        """Return the indent of a line: that of the words of the item it is in."""
        items = self._items
        while items and items[-1][0] >= indent:
            items.pop()
        inside = items[-1][1] if items else indent
        if bullet:
            items.append((indent, inside + len(bullet) + 1))
        return " " * inside
