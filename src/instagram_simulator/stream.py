"""The journal as server-sent events, for the page and for anyone with curl."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from .journal import Entry, Journal


def stream(journal: Journal, request: Request) -> StreamingResponse:
    """
    Return what happens from now on, or from the entry that the reader saw last.

    A reader that missed too much, or that knew an earlier run, is told `reset` first:
    it has to read the state anew.
    """
    seen = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return StreamingResponse(
        _events(journal, seen),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _events(journal: Journal, seen: str) -> AsyncIterator[str]:
    after = _position(journal, seen)
    yield "retry: 500\n\n"
    if seen and after is None:
        yield f"id: {mark(journal, journal.seq)}\nevent: reset\ndata: {{}}\n\n"
    async for entry in journal.follow(after):
        yield _event(journal, entry)


def mark(journal: Journal, seq: int) -> str:
    """Return the id of an entry: the run, and the number in it."""
    return f"{journal.epoch}-{seq}"


def _position(journal: Journal, seen: str) -> int | None:
    """Return the number of the entry *seen*, or `None` if what followed is not known."""
    epoch, _, seq = seen.partition("-")
    if epoch != journal.epoch or not seq.isdecimal() or journal.since(int(seq)) is None:
        return None
    return int(seq)


def _event(journal: Journal, entry: Entry) -> str:
    value = json.dumps({"kind": entry.kind, **entry.data})
    return f"id: {mark(journal, entry.seq)}\ndata: {value}\n\n"
