"""Links, of Markdown and HTML, such that their title and their address stay; and other tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# https://spec.commonmark.org/0.31.2/#link-destination
_BARE = r"(?:[^\s()\\<]|\\.|\((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*\))"
_TITLE = r"""(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|\(((?:[^()\\\n]|\\.)*)\))"""
_TARGET = re.compile(
    rf"\([ \t]*+\n?[ \t]*+(?:<([^<>\n]*+)>|({_BARE}*))(?:[ \t]++{_TITLE})?[ \t]*+\n?\)"
)
# The usual case, by one match: plain words and an address without brackets.
USUAL = re.compile(r"\[([^\[\]\\`*_~&<$@\n!]+)\]\((https?://[^\s()<>\\\"'&]+)\)")

_DEFINITION = re.compile(
    rf"\n[ ]{{0,3}}\[([^\[\]\n^][^\[\]\n]{{0,99}}+)\]:[ \t]*+"
    rf"<?((?:https?://|mailto:|tel:)[^\s<>]++)>?(?:[ \t]++{_TITLE})?[ \t]*+(?=\n|\Z)"
)
_REFERENCE = re.compile(r"\[([^\[\]\n]{1,100}+)\](?![:(])")
_LABEL = re.compile(r"\[([^\[\]\n]{0,100}+)\]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_NUMBER = re.compile(r"\[?\d{1,3}\]?|[¹²³⁴-⁹]+")
# Addresses that lead nowhere for somebody who reads the answer alone.
_INSIDE = ("#", "sandbox:", "attachment:", "javascript:")

# An address that is written out, behind its scheme; `*` and `~` end it before a mark or a space.
WRITTEN_OUT = re.compile(
    r"(?:[^\s<>\[\]\\`*~]|[*~](?![*~\s.,;:!?)、。，．！？：；）」』】》]|\Z))+"  # noqa: RUF001 - CJK
)
# The rest of an address that nothing ends: no bracket, no quotation mark.
OPEN_END = re.compile(r"://[^\s\"'<>]*[^\s\"'<>)]\Z")
# A character that apps which make addresses clickable would take for the address's next one.
GOES_ON = re.compile(r"[\w(/#%&+=@~$-]")


@dataclass(frozen=True, slots=True)
class Target:
    """The address that a link leads to, and the tip that is shown when pointed at."""

    address: str
    tip: str = ""


def target_at(text: str, at: int) -> tuple[Target, int] | None:
    """Return the target in the round brackets that begin at *at*, and the end of them."""
    found = _TARGET.match(text, at)
    if found is None:
        return None
    address = found[1].replace(" ", "%20") if found[1] is not None else found[2]
    tip = found[3] or found[4] or found[5] or ""
    return Target(_unescaped(address), _unescaped(tip)), found.end()


def defined_target(
    definitions: Mapping[str, Target], text: str, start: int, end: int
) -> tuple[Target, int] | None:
    """Return what is defined for the title `text[start:end]` or the label behind, and its end."""
    if not definitions:
        return None
    label = _LABEL.match(text, end + 1)
    target = definitions.get(normalized(label[1] if label and label[1] else text[start:end]))
    return (target, label.end() if label else end + 1) if target else None


def written(title: str, target: Target) -> str:
    """Return a link in words: its title, its tip, its address, and none of them twice."""
    address = target.address.removeprefix("mailto:").removeprefix("tel:")
    if address.startswith(_INSIDE):
        address = ""
    bare = address.removeprefix("https://").removeprefix("http://").rstrip("/")
    if not title or title in (address, bare):
        title, address = address, ""
    elif address and _NUMBER.fullmatch(title):  # of a source, which its address tells better
        title = ""
    aside = ", ".join(it for it in (target.tip, address) if it and it != title)
    if not aside:
        return title
    return f"{title} ({aside})" if title else f"({aside})"


def taken_definitions(text: str) -> tuple[str, Mapping[str, Target]]:
    """
    Return *text* without the definitions of links that it refers to, and these by label.

    A number's stays where it stands if the number is all that refers to it: that is a
    list of sources. So does what only looks like a definition (`[1]: a note`).
    """
    if "]:" not in text:
        return text, {}
    full = {normalized(it) for it in re.findall(r"\]\[([^\[\]\n]{1,100}+)\]", text)}
    short = {normalized(it) for it in _REFERENCE.findall(text)}
    used = full | {it for it in short if not it.isdecimal()}
    definitions: dict[str, Target] = {}

    def take(found: re.Match[str]) -> str:
        """Keep the definition if it is referred to."""
        name = normalized(found[1])
        if name not in used:
            return found[0]
        tip = found[3] or found[4] or found[5] or ""
        definitions.setdefault(name, Target(_unescaped(found[2]), _unescaped(tip)))
        return ""

    return _DEFINITION.sub(take, text), definitions


def normalized(label: str) -> str:
    """Return *label* as labels are compared: without regard to case and width of spaces."""
    return " ".join(label.casefold().split())


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


# --- HTML: the tags that go, and what stands for those that mean a new line --

TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,11})(?:[\s/][^<>]*+)?>")
BREAK = re.compile(r"<br\s{0,3}/?>[ \t]*\n?", re.IGNORECASE)
AUTOLINK = re.compile(r"<((?:https?://|mailto:|tel:)[^\s<>]*+|[^\s<>@:/]++@[^\s<>@]++)>", re.I)

_HREF = re.compile(r"""\shref\s{0,3}=\s{0,3}["']?([^"'\s<>]++)""", re.IGNORECASE)
_SHAPING = frozenset(
    {
        "b", "strong", "i", "em", "u", "s", "del", "ins", "mark",
        "small", "sub", "sup", "span", "font", "center", "cite", "q", "kbd",
        "code", "p", "div", "ul", "ol", "li", "h1", "h2", "h3",
        "h4", "h5", "h6", "details", "summary", "answer", "response", "final", "output",
        "result", "section", "blockquote", "co", "a",
    }
)  # fmt: skip
_INSTEAD = {"li": "\n- ", "/p": "\n\n", "/div": "\n", "/h1": "\n", "/h2": "\n", "/h3": "\n"}
_CLOSED = re.compile(r"</([A-Za-z][A-Za-z0-9]{0,11})\s{0,3}>")


def closed_tags(text: str) -> frozenset[str]:
    """Return the names of the tags that *text* closes: only what is a pair is surely HTML."""
    if "</" not in text:
        return frozenset()
    return _SHAPING.intersection(name.lower() for name in _CLOSED.findall(text))


def instead_of(tag: re.Match[str]) -> str:
    """Return what stands for *tag* of a pair where nothing is rendered."""
    return _INSTEAD.get(tag[1] + tag[2].lower(), "")


def href(tag: str) -> str:
    """Return where the beginning *tag* of a link leads, "" if nowhere."""
    found = _HREF.search(tag)
    return found[1] if found else ""
