"""Turn: a person's waiting events, put together as one question for the agent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import starmap
from operator import attrgetter

from ak_instagram import fast_json
from ak_instagram.agents.agent import Attachment, Callback, HistoryLine, Turn, UserMessage
from ak_instagram.agents.history import recent
from ak_instagram.meta.content import (
    Edit,
    Message,
    Postback,
    Referral,
    Story,
    Unsend,
    read_content,
)
from ak_instagram.meta.events import Kind
from ak_instagram.meta.lenient import as_millis
from ak_instagram.store.values import WINDOW, Claim, EventStatus, StoredEvent


@dataclass(frozen=True, slots=True)
class TurnDraft:
    """
    The waiting events, read.

    *turn* is `None` when there is nothing to answer. *answered_ids* are the events that
    it answers, edits among them; *other_statuses* says how the others end.
    """

    turn_id: str
    turn: Turn | None
    answered_ids: tuple[int, ...]
    other_statuses: Mapping[int, EventStatus]


def compose(claim: Claim, agent: str | None = None) -> TurnDraft:
    """
    Return the turn that *claim*'s events make, for the agent called *agent*.

    A message that was edited has its last text; one that was taken back is left out.
    """
    kept: dict[int, UserMessage] = {}
    edits: dict[int, Edit] = {}
    statuses: dict[int, EventStatus] = {}  # of all events; those that are answered leave it
    unsent_mids: set[str] = set()
    for event in claim.events:
        statuses[event.id] = EventStatus.UNSENT if event.is_unsent else EventStatus.IGNORED
        if event.is_unsent:
            continue
        content = read_content(event.kind, event.payload)
        if isinstance(content, Unsend):
            unsent_mids.add(content.mid)
        elif isinstance(content, Edit) and content.text:
            edits[event.id] = content
        elif isinstance(content, Message | Postback):
            kept[event.id] = _message(event, content, claim.quotes)
    for id_, message in list(kept.items()):
        if message.mid in unsent_mids:
            del kept[id_]
            statuses[id_] = EventStatus.UNSENT
    latest: dict[str, Edit] = {}  # of each message that is answered
    mids = set(map(attrgetter("mid"), kept.values()))
    for id_, edit in list(edits.items()):
        if edit.mid not in mids:
            del edits[id_]
        elif edit.mid not in latest or latest[edit.mid].num_edit <= edit.num_edit:
            latest[edit.mid] = edit
    if kept and claim.referral is not None:
        _lead(kept, claim.referral)
    answered_ids = (*kept, *edits)
    for id_ in answered_ids:
        del statuses[id_]
    name = turn_id(claim)
    turn = _turn(claim, name, list(kept.values()), latest, agent) if kept else None
    return TurnDraft(name, turn, answered_ids, other_statuses=statuses)


def without_quotes(turn: Turn) -> Turn:
    """Return *turn* without the texts of the messages that it quotes."""
    if not any(it.context and "reply_to_text" in it.context for it in turn.messages):
        return turn
    messages = (
        replace(it, context={k: v for k, v in (it.context or {}).items() if k != "reply_to_text"})
        for it in turn.messages
    )
    return replace(turn, messages=tuple(messages))


def session_id(account: str, contact: str, epoch: int) -> str:
    """Return the agent's name for the conversation, which tells nobody who the person is."""
    return hashlib.sha256(f"{account}/{contact}/{epoch}".encode()).hexdigest()[:32]


def turn_id(claim: Claim) -> str:
    """Return the same id for the same events, whoever asks about them and however often."""
    events = ",".join(map(str, map(attrgetter("id"), claim.events)))
    name = f"{claim.account}/{claim.contact}/{events}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _turn(
    claim: Claim,
    name: str,
    messages: Sequence[UserMessage],
    edits: Mapping[str, Edit],
    agent: str | None,
) -> Turn:
    """Return the turn called *name*: the person's *messages*, with their latest *edits*."""
    if edits:
        messages = [
            replace(it, text=edits[it.mid].text) if it.mid in edits else it for it in messages
        ]
    awaited = claim.awaited
    callback = (
        Callback(awaited.body, is_overdue=awaited.until is not None and awaited.body is None)
        if awaited is not None
        else None
    )
    past = tuple(starmap(HistoryLine, map(attrgetter("role", "text"), claim.transcript)))
    return Turn(
        id=name,
        session=session_id(claim.account, claim.contact, claim.epoch),
        account=claim.account,
        contact=claim.contact,
        messages=tuple(messages),
        agent=agent,
        history=recent(past) if past else (),
        callback=callback,
    )


def _message(
    event: StoredEvent, content: Message | Postback, quotes: Mapping[str, str]
) -> UserMessage:
    """Return what the person said with *event*; *quotes* are the texts of quoted messages."""
    mid = event.mid or str(event.id)
    if isinstance(content, Postback):
        context = _context(referral=content.referral) if content.referral else None
        return UserMessage(
            mid, event.at, text=content.title, payload=content.payload, context=context
        )
    attachments = content.attachments
    if content.is_unsupported and not attachments:
        attachments = (Attachment("unsupported"),)
    refers = content.reply_to or content.story or content.referral
    context = _context(content.reply_to, content.story, content.referral) if refers else None
    if context and content.reply_to and content.reply_to in quotes:
        context["reply_to_text"] = quotes[content.reply_to]
    return UserMessage(mid, event.at, content.text, attachments, content.payload, context)


def _lead(messages: dict[int, UserMessage], referral: str) -> None:
    """
    Give the *referral* (JSON), which came by itself, to the message that followed it.

    That is the first one after it, or the last one there is. An old one led nobody here.
    """
    content = read_content(Kind.REFERRAL, referral)
    opened_at = as_millis((fast_json.load_object(referral) or {}).get("timestamp")) or 0
    led = next((id_ for id_, it in messages.items() if it.at >= opened_at), [*messages][-1])
    message = messages[led]
    if isinstance(content, Referral) and (not opened_at or message.at - opened_at <= WINDOW):
        context = _context(referral=content) or {}
        messages[led] = replace(message, context={**context, **(message.context or {})} or None)


def _context(
    reply_to: str | None = None, story: Story | None = None, referral: Referral | None = None
) -> dict[str, str] | None:
    """Return what a message refers to, by the keys of `UserMessage.context`."""
    referral = referral or Referral()
    known = {
        "reply_to_mid": reply_to,
        "story_id": story.id if story else None,
        "story_url": story.url if story else None,
        "ref": referral.ref,
        "referral_source": referral.source,
        "referral_type": referral.type,
        "ad_id": referral.ad_id,
        "ad_title": referral.ad_title,
        "product_id": referral.product_id,
    }
    return {key: value for key, value in known.items() if value} or None
