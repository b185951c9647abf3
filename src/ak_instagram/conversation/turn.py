"""Turn: a person's waiting events, put together as one question for the agent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ak_instagram.agents.agent import Attachment, HistoryLine, Turn, UserMessage
from ak_instagram.meta.content import (
    Content,
    Edit,
    Message,
    Postback,
    Referral,
    Unsend,
    read_content,
)
from ak_instagram.store.values import Claim, EventStatus, StoredEvent


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

    def final_statuses(self, of_answered: EventStatus) -> dict[int, EventStatus]:
        """Return how all events end when those that the turn answers end *of_answered*."""
        return {**self.other_statuses, **dict.fromkeys(self.answered_ids, of_answered)}


def compose(claim: Claim, agent: str | None = None) -> TurnDraft:
    """
    Return the turn that *claim*'s events make, for the agent called *agent*.

    A message that was edited has its last text; one that was taken back is left out.
    """
    read = [(it, read_content(it.kind, it.payload)) for it in claim.events if not it.is_unsent]
    said = {event.id: message for event, content in read if (message := _message(event, content))}
    unsent_mids = {content.mid for _, content in read if isinstance(content, Unsend)}
    kept = {id_: message for id_, message in said.items() if message.mid not in unsent_mids}
    mids = {message.mid for message in kept.values()}
    edits = {
        event.id: content
        for event, content in read
        if isinstance(content, Edit) and content.text and content.mid in mids
    }
    gone = said.keys() - kept.keys()
    name, answered_ids = turn_id(claim), (*kept, *edits)
    return TurnDraft(
        turn_id=name,
        turn=_turn(claim, name, kept, edits, agent) if kept else None,
        answered_ids=answered_ids,
        other_statuses={
            it.id: EventStatus.UNSENT if it.is_unsent or it.id in gone else EventStatus.IGNORED
            for it in claim.events
            if it.id not in answered_ids
        },
    )


def session_id(account: str, contact: str, epoch: int) -> str:
    """Return the agent's name for the conversation, which tells nobody who the person is."""
    return hashlib.sha256(f"{account}/{contact}/{epoch}".encode()).hexdigest()[:32]


def turn_id(claim: Claim) -> str:
    """Return the same id for the same events, whoever asks about them and however often."""
    events = ",".join(str(event.id) for event in claim.events)
    name = f"{claim.account}/{claim.contact}/{events}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _turn(
    claim: Claim,
    name: str,
    kept: Mapping[int, UserMessage],
    edits: Mapping[int, Edit],
    agent: str | None,
) -> Turn:
    """Return the turn called *name*: what was *kept* of the person's messages, as edited."""
    latest = {it.mid: it.text for it in sorted(edits.values(), key=lambda it: it.num_edit)}
    return Turn(
        id=name,
        session=session_id(claim.account, claim.contact, claim.epoch),
        account=claim.account,
        contact=claim.contact,
        messages=tuple(
            replace(it, text=latest[it.mid]) if it.mid in latest else it for it in kept.values()
        ),
        agent=agent,
        history=tuple(
            HistoryLine("assistant" if line.role == "assistant" else "user", line.text)
            for line in claim.transcript
        ),
    )


def _message(event: StoredEvent, content: Content) -> UserMessage | None:
    """Return what the person said with *event*, `None` if it is no message."""
    mid = event.mid or str(event.id)
    match content:
        case Message(text=text, payload=payload, attachments=attachments):
            if content.is_unsupported and not attachments:
                attachments = (Attachment("unsupported"),)
            return UserMessage(mid, event.at, text, attachments, payload, _context(content))
        case Postback(title=title, payload=payload):
            return UserMessage(mid, event.at, text=title, payload=payload)
    return None


def _context(message: Message) -> dict[str, str] | None:
    """Return what *message* refers to, by the keys of `UserMessage.context`."""
    if not (message.reply_to or message.story or message.referral):
        return None
    story, referral = message.story, message.referral or Referral()
    known = {
        "reply_to_mid": message.reply_to,
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
