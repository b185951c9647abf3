"""Bodies: an agent's answer as it came over the wire becomes JSON, a text, or frames. Pure."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import Any

from ak_instagram import fast_json
from ak_instagram.errors import Permanent, Transient

# What is read besides UTF-8, if it is declared.
_CHARSETS = frozenset({"iso8859-1", "iso8859-15", "cp1252", "utf-16"})
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|(?P<open_string>\\?\Z))|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Body:
    """A body, or one frame of it, with what the answer says about itself."""

    status: int
    content_type: str
    charset: str | None
    data: bytes | str

    def text(self) -> str:
        """Return it as text; what can't be read becomes U+FFFD."""
        return self.data if isinstance(self.data, str) else decoded(self.data, self.charset)

    def json(self) -> Any:  # noqa: ANN401 - this is where JSON enters
        """
        Return the JSON that it is, whatever type it claims to have.

        `Permanent` if it is none, but `Transient` for what may heal: no body at all, a body
        that ends in the middle, a web page.
        """
        text = self.text()
        try:
            return fast_json.load(text)
        except ValueError as exc:
            is_deep = "deep" in str(exc)
        if not text.strip():
            raise Transient(f"agent answered {self.status} with an empty body")
        if text.lstrip().startswith("<") or self.content_type == "text/html":  # "starting up"
            raise Transient(f"agent answered {self.content_type}, not JSON: a web page")
        if not is_deep and is_cut(text):
            raise Transient("agent's answer ended early: its JSON stops in the middle")
        raise Permanent(f"agent answered {self.content_type}, not JSON")


def decoded(body: bytes, charset: str | None) -> str:
    """
    Return *body* as text: UTF-8, with or without a BOM, else the *charset* that it declares.

    A character that the end cuts is left out; what can't be read becomes U+FFFD.
    """
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(body)
    except UnicodeDecodeError:
        pass
    try:
        name = codecs.lookup(charset or "").name
    except LookupError:
        name = ""
    return body.decode(name if name in _CHARSETS else "utf-8", "replace")


def is_cut(text: str) -> bool:
    """Return whether *text* begins a JSON object or list and stops before its end."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        if token["open_string"] is not None:
            return True
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
    return depth > 0


class SseParser:
    """
    Cuts a `text/event-stream` into the data of its events.

    Only `data` matters to the protocols spoken here: event names, ids and comments
    are skipped. An event that the stream's end cuts off is never given out, as the
    standard says (https://html.spec.whatwg.org/multipage/server-sent-events.html).
    """

    def __init__(self, limit: int) -> None:
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self._limit = limit
        self._line = ""
        self._fields: list[str] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Return the data of the events that *chunk* completes; `Permanent` if one is too long."""
        *lines, self._line = (self._line + self._decoder.decode(chunk)).split("\n")
        events: list[str] = []
        for line in lines:
            if line:
                field, _, value = line.partition(":")
                if field == "data":
                    self._fields.append(value.removeprefix(" "))
                    self._held += len(line)
                continue
            if self._fields:  # an empty line ends the event, if it has data
                events.append("\n".join(self._fields))
            self._fields, self._held = [], 0
        if self._held + len(self._line) > self._limit:
            raise Permanent(f"agent's stream has an event of more than {self._limit} characters")
        return events

    def rest(self) -> list[str]:
        """Return nothing: see above."""
        return []


class LineParser:
    """Cuts JSON lines into lines; the last one need not end."""

    def __init__(self, limit: int) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._limit = limit
        self._line = ""

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that *chunk* completes; `Permanent` if one is too long."""
        # At line feeds alone: JSON may have any other line separator inside a text.
        *lines, self._line = (self._line + self._decoder.decode(chunk)).split("\n")
        if len(self._line) > self._limit:
            raise Permanent(f"agent's stream has a line of more than {self._limit} characters")
        return lines

    def rest(self) -> list[str]:
        """Return the line that nothing ended."""
        return [self._line]
