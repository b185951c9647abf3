"""What a person's waiting events amount to: one turn for the agent."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

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

# An event, and what it says.
Read: TypeAlias = tuple[StoredEvent, Content]


@dataclass(frozen=True, slots=True)
class TurnDraft:
    """
    The waiting events, read.

    *turn* is `None` when there is nothing to answer. *asked* are the ids of the events
    it is made of, edits among them; *settled* says how the others end.
    """

    turn_id: str
    turn: Turn | None
    asked: tuple[int, ...]
    settled: Mapping[int, EventStatus]


def compose(claim: Claim, agent: str | None = None) -> TurnDraft:
    """
    Return the turn that *claim*'s events make, for the agent called *agent*.

    A message that was edited says its last version; one that was taken back is gone.
    """
    read = _read(claim.events)
    said = {event.id: message for event, content in read if (message := _inbound(event, content))}
    gone = _taken_back(read, said)
    kept = {id_: message for id_, message in said.items() if id_ not in gone}
    edits = _edits_of(read, kept.values())
    asked = (*kept, *edits)
    name = turn_id(claim)
    messages = tuple(_edited(message, edits.values()) for message in kept.values())
    return TurnDraft(
        turn_id=name,
        turn=_turn(claim, name, messages, agent) if messages else None,
        asked=asked,
        settled={it.id: _end(it, gone) for it in claim.events if it.id not in asked},
    )


def session_id(account: str, contact: str, epoch: int) -> str:
    """Return the agent's name for the conversation, which tells nobody who the person is."""
    return hashlib.sha256(f"{account}/{contact}/{epoch}".encode()).hexdigest()[:32]


def _turn(claim: Claim, name: str, messages: tuple[UserMessage, ...], agent: str | None) -> Turn:
    return Turn(
        id=name,
        session=session_id(claim.account, claim.contact, claim.epoch),
        account=claim.account,
        contact=claim.contact,
        messages=messages,
        agent=agent,
        history=tuple(
            HistoryLine("assistant" if line.role == "assistant" else "user", line.text)
            for line in claim.transcript
        ),
    )


def turn_id(claim: Claim) -> str:
    """Return the same id for the same events, whoever tries them and however often."""
    events = ",".join(str(event.id) for event in claim.events)
    name = f"{claim.account}/{claim.contact}/{events}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _read(events: Sequence[StoredEvent]) -> list[Read]:
    """Return the events that are not taken back, each with what it says."""
    return [
        (event, read_content(event.kind, event.payload)) for event in events if not event.is_unsent
    ]


def _taken_back(read: Sequence[Read], said: Mapping[int, UserMessage]) -> frozenset[int]:
    """Return which of what was *said* another of the events takes back."""
    mids = {content.mid for _, content in read if isinstance(content, Unsend)}
    return frozenset(id_ for id_, message in said.items() if message.mid in mids)


def _end(event: StoredEvent, gone: Collection[int]) -> EventStatus:
    """Return how an event ends that the agent is not asked about."""
    is_gone = event.is_unsent or event.id in gone
    return EventStatus.UNSENT if is_gone else EventStatus.IGNORED


def _edits_of(read: Sequence[Read], messages: Iterable[UserMessage]) -> dict[int, Edit]:
    """Return, by their events, the edits that change what one of *messages* says."""
    mids = {message.mid for message in messages}
    return {
        event.id: content
        for event, content in read
        if isinstance(content, Edit) and content.text and content.mid in mids
    }


def _edited(message: UserMessage, edits: Iterable[Edit]) -> UserMessage:
    """Return *message* as the last of its *edits* has it."""
    own = sorted((it for it in edits if it.mid == message.mid), key=lambda it: it.num_edit)
    return replace(message, text=own[-1].text) if own else message


def _inbound(event: StoredEvent, content: Content) -> UserMessage | None:
    if isinstance(content, Message):
        return _message(event, content)
    if isinstance(content, Postback):
        mid = event.mid or str(event.id)
        return UserMessage(mid, event.at, text=content.title, payload=content.payload)
    return None


def _message(event: StoredEvent, message: Message) -> UserMessage:
    return UserMessage(
        mid=event.mid or str(event.id),
        at=event.at,
        text=message.text,
        attachments=_attachments(message),
        payload=message.payload,
        context=_context(message) or None,
    )


def _attachments(message: Message) -> tuple[Attachment, ...]:
    if message.is_unsupported and not message.attachments:
        return (Attachment("unsupported"),)
    return tuple(Attachment(it.kind, it.url, it.title) for it in message.attachments)


def _context(message: Message) -> dict[str, str]:
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
    return {key: value for key, value in known.items() if value}


def endings(draft: TurnDraft, of_asked: EventStatus) -> dict[int, EventStatus]:
    """Return how all events of the turn end when those that were asked about end *of_asked*."""
    return {**draft.settled, **dict.fromkeys(draft.asked, of_asked)}
