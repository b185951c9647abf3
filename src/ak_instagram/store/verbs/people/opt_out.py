"""
Opt-out: who asks not to be answered any more is not, until they ask to be.

It is heard when the message comes in, and not when its turn does: a person may answer then, or
the account may be stopped. So nothing goes out after it that was not on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import structlog
from sqlalchemy import bindparam, update

from ak_instagram.meta.content import Message, Postback, read_content
from ak_instagram.meta.events import Event, Kind
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import conversations, in_conversation
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import Silencer
from ak_instagram.store.verbs import takeover
from ak_instagram.text import fits

log = structlog.get_logger()

NEVER_ENDS = 253_370_764_800_000  # the year 9999, UTC ms
_LONGEST = 4096  # characters of a payload that may be one of the words
_END_MARKS = " .!"

_c = conversations.c
_END = Statement(
    update(conversations)
    .where(
        *in_conversation(conversations),
        _c.paused_by == Silencer.OPT_OUT.value,
        _c.paused_until > bindparam("now"),
    )
    .values(paused_until=0)
)


class Wish(NamedTuple):
    """Wish of the person who wrote *event*: to be answered, or not."""

    event: Event
    is_opt_out: bool


def wishes_in(tx: Tx, events: Sequence[Event]) -> list[Wish]:
    """Return the wishes among *events* that are not stored yet, in the order they were said."""
    found: list[Wish] = []
    for event in sorted(events, key=lambda it: it.at):
        said = _said(event)
        is_opt_out = _is_one_of(said, tx.worker.opt_out_words)
        if (is_opt_out or _is_one_of(said, tx.worker.opt_in_words)) and takeover.is_news(tx, event):
            found.append(Wish(event, is_opt_out))
    return found


def _said(event: Event) -> tuple[str, ...]:
    """Return the words of *event* that may be a wish: its text, and the payload of a tap."""
    if event.kind not in (Kind.MESSAGE, Kind.POSTBACK) or len(event.payload) > _LONGEST:
        return ()
    content = read_content(event.kind, event.payload)
    if isinstance(content, Postback):
        return tuple(filter(None, (content.title, content.payload)))
    if isinstance(content, Message):
        return tuple(filter(None, (content.text, content.payload)))
    return ()


def _is_one_of(said: Sequence[str], words: Sequence[str]) -> bool:
    return any(fits(each.strip(_END_MARKS), word) for each in said for word in words)


def respect(tx: Tx, wish: Wish) -> None:
    """Fall silent towards whoever opts out, and speak again to whoever opts in."""
    account, contact = wish.event.account, wish.event.contact
    if wish.is_opt_out:
        takeover.pause(tx, account, contact, NEVER_ENDS, Silencer.OPT_OUT)
        takeover.drop(tx, account, contact, Silencer.OPT_OUT)
        log.info("conversation.opted_out", contact=contact)
    elif _END.run(tx, account=account, contact=contact, now=tx.now):
        log.info("conversation.opted_in", contact=contact)
