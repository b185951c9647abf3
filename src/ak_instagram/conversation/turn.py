"""Turn: a person's waiting events, put together as one question for the agent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from ak_instagram.agents.agent import Attachment, HistoryLine, Turn, UserMessage
from ak_instagram.meta.content import (
    Edit,
    Message,
    Postback,
    Referral,
    Unsend,
    read_content,
)
from ak_instagram.store.values import Claim, EventStatus, StoredEvent, TranscriptLine

MAX_HISTORY = 16_384  # bytes of UTF-8, some 4,000 tokens; `agent.history` bounds its lines


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
            kept[event.id] = _message(event, content)
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
    answered_ids = (*kept, *edits)
    for id_ in answered_ids:
        del statuses[id_]
    name = turn_id(claim)
    turn = _turn(claim, name, list(kept.values()), latest, agent) if kept else None
    return TurnDraft(name, turn, answered_ids, other_statuses=statuses)


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
    return Turn(
        id=name,
        session=session_id(claim.account, claim.contact, claim.epoch),
        account=claim.account,
        contact=claim.contact,
        messages=tuple(messages),
        agent=agent,
        history=recent_lines(claim.transcript) if claim.transcript else (),
    )


def recent_lines(transcript: Sequence[TranscriptLine]) -> tuple[HistoryLine, ...]:
    """Return the newest lines of *transcript* that are at most `MAX_HISTORY` bytes together."""
    lines: list[HistoryLine] = []
    room = MAX_HISTORY
    for line in reversed(transcript):
        room -= len(line.text.encode())
        if room < 0:
            break
        lines.append(HistoryLine(line.role, line.text))
    return tuple(reversed(lines))


def _message(event: StoredEvent, content: Message | Postback) -> UserMessage:
    """Return what the person said with *event*."""
    mid = event.mid or str(event.id)
    if isinstance(content, Postback):
        return UserMessage(mid, event.at, text=content.title, payload=content.payload)
    attachments = content.attachments
    if content.is_unsupported and not attachments:
        attachments = (Attachment("unsupported"),)
    refers = content.reply_to or content.story or content.referral
    context = _context(content) if refers else None
    return UserMessage(mid, event.at, content.text, attachments, content.payload, context)


def _context(message: Message) -> dict[str, str] | None:
    """Return what *message* refers to, by the keys of `UserMessage.context`."""
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
