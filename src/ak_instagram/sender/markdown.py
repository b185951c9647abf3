"""
Markdown to text that reads well where it is shown as it was written.

Instagram shows a message's characters as they are. Markers that only a renderer
understands go; what also reads as plain text (lists, quotes, lines) stays. People
write `2 * 3`, `<3` and `1) a` and mean just that, so what is not clearly Markdown
stays as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from ak_instagram.surrogates import well_formed

from .markdown_inline import inline_text, literals

# Nobody means Markdown beyond these. The parser would take seconds over the
# brackets, and lose what is nested deeper than its limit.
_MOST_BRACKETS = 500
# One line with nothing in it that the parser looks for, as most short answers are.
_PLAIN_LINE = re.compile(r"(?![-+\d\s])[^\n\r\t\0\\`*_~\[\]<>&|#]+(?<!\s)")
_TOO_DEEP = re.compile(r"^(?:[ \t]*(?:>|(?:[-+*]|\d+[.)])[ \t])){20}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Plain:
    """A text without Markdown; *verbatim* are the spans of it that are blocks of code."""

    text: str
    verbatim: tuple[tuple[int, int], ...] = ()


def plain(markdown: str) -> Plain:
    """Return *markdown* as text for people, and where its blocks of code are."""
    source = well_formed(markdown)
    if _PLAIN_LINE.fullmatch(source):
        return Plain(source)
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if source.count("[") > _MOST_BRACKETS or _TOO_DEEP.search(source):
        return Plain(source)
    try:
        return _joined(_blocks(SyntaxTreeNode(_PARSER.parse(source)), lines), lines)
    except RecursionError:  # hundreds of markers around one another
        return Plain(source)


class _Parser(MarkdownIt):
    """A parser that leaves links as they were written."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - markdown-it's name
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - markdown-it's name
        return link


def _parser() -> MarkdownIt:
    """
    Return a parser of CommonMark with tables and strikethrough.

    Off are HTML, which `<3` is not, and what would swallow plain text that happens to
    look like it: indented code, underlined headings, link definitions.
    """
    parser = _Parser("commonmark", {"html": False, "maxNesting": 50})
    parser.enable(["table", "strikethrough"]).disable(["code", "lheading", "reference"])
    return parser.use(literals)


_PARSER = _parser()


@dataclass(frozen=True, slots=True)
class _Block:
    """Some lines of text, and the line of the source that they begin at."""

    line: int
    text: str
    verbatim: bool = False

    def prefixed(self, first: str, others: str) -> _Block:
        """Return the block with *first* before its first line, *others* before the rest."""
        return replace(self, text=first + self.text.replace("\n", "\n" + others))


def _joined(blocks: Iterable[_Block], lines: Sequence[str]) -> Plain:
    """Put *blocks* under one another with as many blank lines between as *lines* have."""
    texts: list[str] = []
    verbatim: list[tuple[int, int]] = []
    end = 0
    for block in blocks:
        gap = "\n" * (1 + _blank_lines_above(block.line, lines)) if texts else ""
        texts += (gap, block.text)
        start = end + len(gap)
        end = start + len(block.text)
        if block.verbatim:
            verbatim.append((start, end))
    return Plain("".join(texts), tuple(verbatim))


def _blank_lines_above(line: int, lines: Sequence[str]) -> int:
    above = line
    while above and not lines[above - 1].strip("> \t"):
        above -= 1
    return line - above


def _blocks(parent: SyntaxTreeNode, lines: Sequence[str]) -> Iterator[_Block]:
    """Yield the blocks of text in *parent*, however deep, in order."""
    for node in parent.children:
        first, end = node.map or (0, 0)
        match node.type:
            case "paragraph" | "heading":
                yield _Block(first, inline_text(node.children))
            case "fence" if node.markup.startswith("`"):
                yield _Block(first, node.content.removesuffix("\n"), verbatim=True)
            case "table":
                yield _Block(first, "\n".join(_rows(node)))
            case "bullet_list" | "ordered_list":
                yield from _blocks(node, lines)
            case "list_item":
                yield from _item(node, first, lines)
            case "blockquote":
                mark = "> " if "> " in lines[first] else ">"
                yield from (block.prefixed(mark, mark) for block in _blocks(node, lines))
            case _:  # a rule, or a frame of tildes: drawn by people as well
                yield _Block(first, "\n".join(lines[first:end]).strip())


def _item(node: SyntaxTreeNode, first: int, lines: Sequence[str]) -> Iterator[_Block]:
    """Yield a list item's blocks: the number or bullet as written, the rest indented."""
    mark = node.info + node.markup
    indent = " " * (len(mark) + 1)
    blocks = _blocks(node, lines)
    head = next(blocks, None)
    if head is None:
        yield _Block(first, mark)
        return
    # A line that follows without a blank one may be meant as the next line, so it stays put.
    is_paragraph = node.children[0].type == "paragraph"
    yield head.prefixed(f"{mark} ", "" if is_paragraph else indent)
    yield from (block.prefixed(indent, indent) for block in blocks)


def _rows(table: SyntaxTreeNode) -> Iterator[str]:
    """Yield a table's rows as lines."""
    for part in table.children:
        for row in part.children:
            yield " | ".join(inline_text(cell.children) for cell in row.children)
