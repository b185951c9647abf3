"""
A conversation's timeline: everything that is stored of it, latest first, page by page.

Four tables tell it: events, pieces, the trail, and the operator log. A page reads the latest rows
of each and merges them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, select

from ak_instagram import fast_json
from ak_instagram.meta.content import Edit, Message, Postback, Referral, Unsend, read_content
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import (
    IS_KNOWN_TO_META,
    IS_NOT_SENT,
    IS_SETTLED,
    IS_WAITING,
    events,
    in_conversation,
    outbox,
    trail,
)
from ak_instagram.store.statement import Row, Statement

from . import log

TOP = 2**63 - 1  # an id above all

_e, _o, _t = events.c, outbox.c, trail.c
_event = (_e.id, _e.received_at, _e.at, _e.kind, _e.status, _e.reason, _e.turn, _e.mid, _e.payload)
_EVENTS = tuple(
    Statement(
        select(*_event)
        .where(*in_conversation(events), which, _e.id < bindparam("below"))
        .order_by(_e.id.desc())
        .limit(bindparam("limit"))
    )
    for which in (IS_SETTLED, IS_WAITING)
)
_piece = (
    *(_o.id, _o.planned_at, _o.changed_at, _o.status, _o.error, _o.turn, _o.seq),
    *(_o.tries, _o.message_id, _o.payload),
)
_PIECES = tuple(
    Statement(
        select(*_piece)
        .where(*in_conversation(outbox), which, _o.id < bindparam("below"))
        .order_by(_o.id.desc())
        .limit(bindparam("limit"))
    )
    for which in (IS_KNOWN_TO_META, IS_NOT_SENT)
)
_TRAIL = Statement(
    select(
        *(_t.id, _t.at, _t.what, _t.outcome, _t.reason, _t.turn, _t.seq, _t.attempt, _t.ms),
        *(_t.code, _t.subcode, _t.request_id),
    )
    .where(*in_conversation(trail), _t.id < bindparam("below"))
    .order_by(_t.id.desc())
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """
    Something that happened *at* then, by the store's clock; all times are UTC milliseconds.

    *source* is the table that has it: `event`, `piece`, `trail` or `operation`; *kind* what it
    was. *said_at* is Meta's time of an event, *until* when a piece last changed. *text* is what
    was said, `None` where nothing was, or where it has been wiped. *attempt* counts the tries of
    a piece so far, or numbers the call that failed, which took *ms*. *code*, *subcode* and
    *request_id* are the other side's. *who* is the operator.
    """

    source: str
    id: int
    at: int
    kind: str
    status: str
    reason: str | None = None
    turn: str | None = None
    seq: int | None = None
    text: str | None = None
    said_at: int | None = None
    until: int | None = None
    message_id: str | None = None
    attempt: int | None = None
    ms: int | None = None
    code: int | None = None
    subcode: int | None = None
    request_id: str | None = None
    who: str | None = None


class Position(NamedTuple):
    """The ids of each table below which the next page goes on."""

    events: int = TOP
    pieces: int = TOP
    trail: int = TOP
    operations: int = TOP


BEGINNING = Position()
_SOURCES = {"event": 0, "piece": 1, "trail": 2, "operation": 3}


def read(
    tx: Tx, account: str, contact: str, position: Position = BEGINNING, limit: int = 100
) -> tuple[list[TimelineEntry], Position | None]:
    """Return the latest *limit* entries before *position*, and where the next page goes on."""
    key = {"account": account, "contact": contact}
    most = limit + 1
    span = {**key, "limit": most}
    found = [
        *(
            _from_event(it)
            for each in _EVENTS
            for it in each.rows(tx, **span, below=position.events)
        ),
        *(
            _from_piece(it)
            for each in _PIECES
            for it in each.rows(tx, **span, below=position.pieces)
        ),
        *(_from_trail(it) for it in _TRAIL.rows(tx, **span, below=position.trail)),
        *map(_from_operation, log.find_of(tx, account, contact, position.operations, most)),
    ]
    # Ids rise with time within a table, which is how the tables are merged.
    found.sort(key=lambda it: (it.at, _SOURCES[it.source], it.id), reverse=True)
    page = found[:limit]
    if len(found) <= limit:
        return page, None
    lowest = list(position)
    for entry in page:
        index = _SOURCES[entry.source]
        lowest[index] = min(lowest[index], entry.id)
    return page, Position(*lowest)


def said_in(kind: str, payload: str | None) -> str | None:
    """Return what an event of *kind* said, in one text; `None` if nothing or no longer known."""
    if not payload:
        return None
    content = read_content(kind, payload)
    match content:
        case Message():
            words = [content.text, *(it.label for it in content.attachments)]
            return "\n".join(filter(None, words)) or (
                "[unsupported]" if content.is_unsupported else None
            )
        case Postback():
            return content.title or content.payload
        case Edit():
            return content.text
        case Referral():
            return " ".join(filter(None, [content.source, content.ref, content.ad_title])) or None
        case Unsend():
            return None
    return None


def piece_text(payload: str | None) -> str | None:
    """Return what a piece says: its text, or its JSON if it is more than a text."""
    if not payload:
        return None
    message = fast_json.load_object(payload) or {}
    said = message.get("text")
    return said if isinstance(said, str) else payload


def _from_event(row: Row) -> TimelineEntry:
    id_, received_at, at, kind, status, reason, turn, mid, payload = row
    return TimelineEntry(
        source="event",
        id=id_,
        at=received_at,
        kind=kind,
        status=status,
        reason=reason,
        turn=turn,
        text=said_in(kind, payload),
        said_at=at,
        message_id=mid,
    )


def _from_piece(row: Row) -> TimelineEntry:
    id_, planned_at, changed_at, status, error, turn, seq, tries, message_id, payload = row
    return TimelineEntry(
        source="piece",
        id=id_,
        at=planned_at,
        kind="piece",
        status=status,
        reason=error,
        turn=turn,
        seq=seq,
        text=piece_text(payload),
        until=changed_at,
        message_id=message_id,
        attempt=tries,
    )


def _from_trail(row: Row) -> TimelineEntry:
    id_, at, what, outcome, reason, turn, seq, attempt, ms, code, subcode, request_id = row
    return TimelineEntry(
        source="trail",
        id=id_,
        at=at,
        kind=what,
        status=outcome,
        reason=reason,
        turn=turn,
        seq=seq,
        attempt=attempt,
        ms=ms,
        code=code,
        subcode=subcode,
        request_id=request_id,
    )


def _from_operation(done: log.Operation) -> TimelineEntry:
    return TimelineEntry(
        source="operation",
        id=done.id,
        at=done.at,
        kind=done.what,
        status="done",
        who=done.who,
        turn=done.target,
    )


def as_chat(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Return those of *entries* that the person sees, oldest first, by Meta's time."""
    shown = [
        it
        for it in entries
        if (it.source == "event" and it.kind in ("message", "postback"))
        or (it.source == "piece" and it.status in ("sent", "sending", "planned", "parked", "dead"))
    ]
    return sorted(shown, key=lambda it: (it.said_at or it.until or it.at, it.seq or 0))
