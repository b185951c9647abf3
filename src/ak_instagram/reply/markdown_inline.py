"""Markdown inside a line: emphasis, code, links, and what only looks like them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.tree import SyntaxTreeNode

_EMPHASIS = frozenset({"em", "strong", "s"})

# The rest of a bare link, or a person's name: underscores in them are not emphasis.
_LITERAL = re.compile(
    r"(?:(?<=http)|(?<=https)) :// (?: (?!\*\*|~~) [^\s<>\[\]\\`] )+ | @[\w.]+",
    re.IGNORECASE | re.VERBOSE,
)


def literals(parser: MarkdownIt) -> None:
    """Teach *parser* to leave bare links and `@names_` alone."""
    parser.inline.ruler.after("text", "literal", _keep_literal)


def _keep_literal(state: StateInline, silent: bool) -> bool:
    literal = _LITERAL.match(state.src, state.pos, state.posMax)
    if literal is None:
        return False
    text = literal[0].rstrip("*~")  # these close emphasis around it
    if not silent:
        state.pending += text
    state.pos += len(text)
    return True


def inline_text(nodes: Sequence[SyntaxTreeNode]) -> str:
    """Return the text of inline *nodes*."""
    texts = ["", *(_text(node) for node in nodes), ""]
    for at, node in enumerate(nodes, 1):
        if node.type in _EMPHASIS and _is_literal(
            node.markup, before=texts[at - 1], text=texts[at], after=texts[at + 1]
        ):
            texts[at] = f"{node.markup}{texts[at]}{node.markup}"
    return "".join(texts)


def _text(node: SyntaxTreeNode) -> str:
    match node.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "link":
            return _link(node, "href")
        case "image":
            return _link(node, "src")
    return inline_text(node.children) if node.children else node.content


def _link(node: SyntaxTreeNode, target: str) -> str:
    """Write a link such that its title, what it shows when pointed at, and its address stay."""
    title, tip = inline_text(node.children), str(node.attrs.get("title", ""))
    address = str(node.attrs[target]).removeprefix("mailto:").removeprefix("tel:")
    bare = address.removeprefix("https://").removeprefix("http://").rstrip("/")
    if not title or title in (address, bare):
        title, address = address, ""
    aside = ", ".join(it for it in (tip, address) if it and it != title)
    return f"{title} ({aside})" if aside else title


def _is_literal(marker: str, *, before: str, text: str, after: str) -> bool:
    """Tell a product (`2*3*4`) and a face (`*_*`) from emphasis."""
    seams = (before[-1:] + text[:1], text[-1:] + after[:1])
    inside_word = all(len(it) == 2 and it.isascii() and it.isalnum() for it in seams)
    between_digits = any(len(it) == 2 and it.isdecimal() for it in seams)
    is_face = len(marker) == 1 and not any(it.isalnum() for it in text)
    return inside_word or between_digits or is_face
