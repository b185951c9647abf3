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
from markdown_it.rules_block import StateBlock, fence, hr
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from ak_instagram.text import sanitize

from .markdown_inline import inline_text, literals

# Nobody means Markdown beyond these. The parser would take seconds over the brackets, and
# loses what is nested deeper than its limit.
_MAX_BRACKETS = 500
_MAX_DEPTH = 50
# One line with nothing in it that the parser looks for, as most short answers are.
_PLAIN_LINE = re.compile(r"(?![-+\d\s])[^\n\r\t\\`*_~\[\]<>&|#]+(?<!\s)")


@dataclass(frozen=True, slots=True)
class Plain:
    """A text without Markdown; *verbatim* are the spans of it that are blocks of code."""

    text: str
    verbatim: tuple[tuple[int, int], ...] = ()


def plain(markdown: str) -> Plain:
    """Return *markdown* as text for people, and where its blocks of code are."""
    source = sanitize(markdown)
    if _PLAIN_LINE.fullmatch(source) or source.count("[") > _MAX_BRACKETS:
        return Plain(source)
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        tokens = _PARSER.parse(source)
        if _is_too_deep(tokens):
            return Plain(source)
        return _joined(_blocks(SyntaxTreeNode(tokens), lines), lines)
    except RecursionError:  # hundreds of markers around one another
        return Plain(source)


def _is_too_deep(tokens: Iterable[Token]) -> bool:
    """Return whether the parser may have left something out: it goes no deeper than its limit."""
    return any(token.level >= _MAX_DEPTH - 1 for token in tokens)


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
    parser = _Parser("commonmark", {"html": False, "maxNesting": _MAX_DEPTH})
    parser.enable(["table", "strikethrough"]).disable(["code", "lheading", "reference"])
    parser.block.ruler.before("fence", "drawn", _keep_drawn)
    return parser.use(literals)


def _keep_drawn(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Keep the lines of a rule, or of a frame of tildes, as they are: people draw them as well."""
    is_frame = state.src.startswith("~~~", state.bMarks[start] + state.tShift[start])
    is_drawn = (fence if is_frame else hr)(state, start, end, silent)
    if is_drawn and not silent:
        token = state.tokens[-1]
        token.type = "drawn"
        token.content = state.getLines(start, state.line, state.sCount[start], keepLastLF=False)
    return is_drawn


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
        first, _ = node.map or (0, 0)
        match node.type:
            case "paragraph" | "heading":
                yield _Block(first, inline_text(node.children))
            case "fence":
                yield _Block(first, _code(node), verbatim=True)
            case "drawn":
                yield _Block(first, node.content.rstrip())
            case "table":
                yield _Block(first, "\n".join(_rows(node, lines)))
            case "bullet_list" | "ordered_list":
                yield from _blocks(node, lines)
            case "list_item":
                yield from _item(node, first, lines)
            case "blockquote":
                mark = "> " if "> " in lines[first] else ">"
                yield from (block.prefixed(mark, mark) for block in _blocks(node, lines))


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


def _code(node: SyntaxTreeNode) -> str:
    """Return a block of code without its fence; more words there than a language's name stay."""
    code = node.content.removesuffix("\n")
    info = node.info.strip()
    is_language = len(info.split()) < 2
    return code if is_language else f"{info}\n{code}".rstrip()


def _rows(table: SyntaxTreeNode, lines: Sequence[str]) -> Iterator[str]:
    """Yield a table's rows as lines."""
    for part in table.children:
        for row in part.children:
            cells = [inline_text(cell.children) for cell in row.children]
            if part.type == "tbody" and row.map:
                cells += _further_cells(lines[row.map[0]], len(cells))
            yield " | ".join(cells)


def _further_cells(row: str, columns: int) -> Iterator[str]:
    """Yield the cells of *row* that its table has no column for: the parser leaves them out."""
    cells = escapedSplit(row.lstrip("> \t").rstrip())
    if not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    for cell in cells[columns:]:
        yield inline_text(SyntaxTreeNode(_PARSER.parseInline(cell.strip())).children)
