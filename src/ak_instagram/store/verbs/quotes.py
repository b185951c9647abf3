"""Quotes: the texts of earlier messages that people reply to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, exists, select, text

from ak_instagram import fast_json
from ak_instagram.meta.content import Edit, Message, Postback, read_content
from ak_instagram.meta.events import Kind
from ak_instagram.meta.keys import edit_keys, mid_key
from ak_instagram.meta.outgoing import words_of
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import events, in_conversation, outbox
from ak_instagram.store.statement import Statement

LONGEST = 500  # characters of a quote
MARK = '"reply_to"'  # no payload without it quotes anything

_o, _e = outbox.c, events.c
_unsends = events.alias("unsends")
# Also what the account took back of its own.
_is_there = ~exists().where(
    _unsends.c.account == bindparam("account"),
    _unsends.c.contact == bindparam("contact"),
    _unsends.c.mid == bindparam("mid"),
    text("unsends.kind = 'unsend'"),
)
_PIECE = Statement(
    select(_o.payload)
    .where(_o.message_id == bindparam("mid"), *in_conversation(outbox), _is_there)
    .limit(1)
)
_EVENT = Statement(
    select(_e.kind, _e.payload).where(
        _e.key == bindparam("key"), *in_conversation(events), _is_there
    )
)


def quoted_by(
    tx: Tx, account: str, contact: str, asked: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """
    Return the texts of the messages that are quoted by those *asked*, by their mids.

    *asked* are kinds and payloads. A message of the conversation is known while its text is
    kept: not once it was taken back, or wiped by retention.
    """
    quotes: dict[str, str] = {}
    for kind, payload in asked:
        if not payload or MARK not in payload:
            continue
        content = read_content(kind, payload)
        mid = content.reply_to if isinstance(content, Message) else None
        if mid and (said := _text_of(tx, account, contact, mid)):
            quotes[mid] = said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
    return quotes


def _text_of(tx: Tx, account: str, contact: str, mid: str) -> str:
    """Return what the message *mid* said, be it the service's or the person's; empty if unknown."""
    key = {"account": account, "contact": contact}
    if (payload := _PIECE.value(tx, **key, mid=mid)) is not None:
        return words_of(fast_json.load_object(payload) or {})
    for kind in (Kind.MESSAGE, Kind.POSTBACK):
        row = _EVENT.row(tx, **key, mid=mid, key=mid_key(kind, account, mid))
        if row is None or row[1] is None:
            continue
        content = read_content(*row)
        if isinstance(content, Postback):
            return content.title
        if isinstance(content, Message):
            text_now = content.text and (_edited(tx, account, contact, mid) or content.text)
            return " ".join(filter(None, [text_now, *(it.label for it in content.attachments)]))
    return ""


def _edited(tx: Tx, account: str, contact: str, mid: str) -> str:
    """Return what the latest edit made of the message *mid*, empty if there is none."""
    for key in reversed(edit_keys(account, mid)):
        row = _EVENT.row(tx, account=account, contact=contact, mid=mid, key=key)
        if row is not None and row[1] is not None:
            content = read_content(*row)
            if isinstance(content, Edit) and content.text:
                return content.text
    return ""
