"""What a person's waiting events amount to: one turn for the agent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ak_instagram.agents.contract import Attachment, Inbound, Turn, Utterance
from ak_instagram.store.values import Claim, EventStatus, StoredEvent
from ak_instagram.webhook.content import Content, Edit, Message, Postback, Referral, Unsend
from ak_instagram.webhook.reading import read_content


@dataclass(frozen=True, slots=True)
class Composed:
    """
    The waiting events, read.

    *turn* is `None` when there is nothing to answer. *asked* are the ids of the events
    it is made of, edits among them; *settled* says how the others end.
    """

    turn_id: str
    turn: Turn | None
    asked: tuple[int, ...]
    settled: Mapping[int, EventStatus]


def compose(claim: Claim, agent: str | None = None) -> Composed:
    """
    Return the turn that *claim*'s events make, for the agent called *agent*.

    A message that was edited says its last version; one that was taken back is gone.
    """
    spoken: dict[int, Inbound] = {}
    edits: list[tuple[int, Edit]] = []
    settled: dict[int, EventStatus] = {}
    for event in claim.events:
        if event.is_unsent:
            settled[event.id] = EventStatus.UNSENT
            continue
        content = read_content(event.kind, event.payload)
        inbound = _inbound(event, content)
        if inbound is not None:
            spoken[event.id] = inbound
            continue
        settled[event.id] = EventStatus.IGNORED
        if isinstance(content, Edit):
            edits.append((event.id, content))
        elif isinstance(content, Unsend):
            settled |= _unsend(spoken, content)
    edited = _edit(spoken, edits)
    name = turn_id(claim)
    turn = _turn(claim, name, tuple(spoken.values()), agent) if spoken else None
    return Composed(name, turn, (*spoken, *edited), settled)


def session_id(account: str, contact: str, epoch: int) -> str:
    """Return the agent's name for the conversation, which tells nobody who the person is."""
    return hashlib.sha256(f"{account}/{contact}/{epoch}".encode()).hexdigest()[:32]


def _turn(claim: Claim, name: str, messages: tuple[Inbound, ...], agent: str | None) -> Turn:
    return Turn(
        id=name,
        session=session_id(claim.account, claim.contact, claim.epoch),
        account=claim.account,
        contact=claim.contact,
        messages=messages,
        agent=agent,
        history=tuple(
            Utterance("assistant" if line.role == "assistant" else "user", line.text)
            for line in claim.transcript
        ),
    )


def turn_id(claim: Claim) -> str:
    """Return the same id for the same events, whoever tries them and however often."""
    events = ",".join(str(event.id) for event in claim.events)
    name = f"{claim.account}/{claim.contact}/{events}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _inbound(event: StoredEvent, content: Content) -> Inbound | None:
    if isinstance(content, Message):
        return _message(event, content)
    if isinstance(content, Postback):
        mid = event.mid or str(event.id)
        return Inbound(mid, event.at, text=content.title, payload=content.payload)
    return None


def _message(event: StoredEvent, message: Message) -> Inbound:
    return Inbound(
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


def _edit(spoken: dict[int, Inbound], edits: Sequence[tuple[int, Edit]]) -> list[int]:
    """Let messages say what the last of *edits* make of them; return the ids of those that did."""
    mids = {message.mid: event for event, message in spoken.items()}
    known = [(id_, edit) for id_, edit in edits if edit.mid in mids and edit.text]
    for _, edit in sorted(known, key=lambda each: each[1].num_edit):
        event = mids[edit.mid]
        spoken[event] = replace(spoken[event], text=edit.text)
    return [id_ for id_, _ in known]


def _unsend(spoken: dict[int, Inbound], unsend: Unsend) -> dict[int, EventStatus]:
    gone = [event for event, message in spoken.items() if message.mid == unsend.mid]
    for event in gone:
        del spoken[event]
    return dict.fromkeys(gone, EventStatus.UNSENT)


def endings(composed: Composed, of_asked: EventStatus) -> dict[int, EventStatus]:
    """Return how all events of the turn end when those that were asked about end *of_asked*."""
    return {**composed.settled, **dict.fromkeys(composed.asked, of_asked)}
