"""Server-sent events: bytes in, the data of each event out."""

from __future__ import annotations

import codecs
import io

from ak_instagram.errors import Permanent


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
        events = [event for line in lines if (event := self._take(line)) is not None]
        if self._held + len(self._line) > self._limit:
            raise Permanent(f"agent's stream has an event of more than {self._limit} characters")
        return events

    def _take(self, line: str) -> str | None:
        """Note a `data` line; at an empty line return the event so far, if it has data."""
        if line:
            field, _, value = line.partition(":")
            if field == "data":
                self._fields.append(value.removeprefix(" "))
                self._held += len(line)
            return None
        fields, self._fields, self._held = self._fields, [], 0
        return "\n".join(fields) if fields else None
