"""
The payload of a webhook: the events, their envelope and its signature.

The shapes are those of https://developers.facebook.com/docs/instagram-platform/webhooks/examples.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass

from instagram_simulator.values import Comment, DirectMessage, Json, MessageContent


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """
    One messaging event for the service.

    *kind* is `message`, `echo`, `unsend`, `edit`, `reaction`, `read`, `postback`,
    `referral` or `comment`; *mid* is the message, or the comment, that it is about, if any.
    """

    kind: str
    account_id: str
    igsid: str
    mid: str
    body: Json


def message_event(message: DirectMessage) -> WebhookEvent:
    """Return the event that announces *message*: a message, a postback, or an echo."""
    content = message.content
    if content.postback is not None:
        tapped = {"mid": message.mid, "title": content.text or "", "payload": content.postback}
        return event_of_sending("postback", message, {"postback": tapped})
    inner = {"mid": message.mid, **content_members(content)}
    if message.is_from_person:
        return event_of_sending("message", message, {"message": inner})
    return event_of_sending("echo", message, {"message": {**inner, "is_echo": True}})


def unsend_event(message: DirectMessage) -> WebhookEvent:
    """Return the event of a *message* that was taken back."""
    return event_of_sending(
        "unsend", message, {"message": {"mid": message.mid, "is_deleted": True}}
    )


def edit_event(message: DirectMessage) -> WebhookEvent:
    """Return the event of a *message* that has a new text."""
    edit = {"mid": message.mid, "text": message.content.text, "num_edit": message.edits}
    return event_of_sending("edit", message, {"message_edit": edit})


def edit_companion(message: DirectMessage) -> WebhookEvent:
    """
    Return an edit that changes nothing: Meta posts one beside many new messages.

    It has `num_edit` 0, no text, and often neither sender nor recipient.
    """
    body = {"timestamp": message.created, "message_edit": {"mid": message.mid, "num_edit": 0}}
    return WebhookEvent("edit", message.account_id, message.igsid, message.mid, body)


def reaction_event(message: DirectMessage, emoji: str | None, at: int) -> WebhookEvent:
    """Return the event of a person who reacts to *message*, or takes that off (`None`)."""
    reaction = {"mid": message.mid, "action": "react" if emoji else "unreact"}
    if emoji:
        reaction |= {"reaction": "love" if emoji == "❤️" else "other", "emoji": emoji}
    return event_by_person("reaction", message, {"reaction": reaction}, at)


def read_event(message: DirectMessage, at: int) -> WebhookEvent:
    """Return the event of a person who has seen *message* of the account."""
    return event_by_person("read", message, {"read": {"mid": message.mid}}, at)


def referral_event(account_id: str, igsid: str, ref: str, at: int) -> WebhookEvent:
    """Return the event of a person who comes back by a link `ig.me/m/…?ref=`."""
    referral = {"ref": ref, "source": "IGME", "type": "OPEN_THREAD"}
    body = addressed(igsid, account_id, at) | {"referral": referral}
    return WebhookEvent("referral", account_id, igsid, "", body)


def comment_event(comment: Comment) -> WebhookEvent:
    """Return the event of a *comment*: a change, no event of messaging."""
    value = {
        "from": {"id": comment.igsid, "username": comment.username},
        "id": comment.comment_id,
        "text": comment.text,
        "media": {"id": "18000000000000001", "media_product_type": "FEED"},
    }
    body = {"field": "comments", "value": value}
    return WebhookEvent("comment", comment.account_id, comment.igsid, comment.comment_id, body)


def envelope(account_id: str, events: Iterable[WebhookEvent], at: int) -> bytes:
    """
    Return the body of one post; everything outside ASCII is escaped, as Meta does it.

    The time of an entry is in ms, and in seconds if it has changes alone.
    """
    lists: dict[str, list[Json]] = {}
    for event in events:
        place = "changes" if event.kind == "comment" else "messaging"
        lists.setdefault(place, []).append(event.body)
    entry = {"time": at if "messaging" in lists else at // 1000, "id": account_id, **lists}
    return json.dumps({"object": "instagram", "entry": [entry]}, ensure_ascii=True).encode()


def signature(body: bytes, app_secret: str) -> str:
    """Return the `X-Hub-Signature-256` of *body*."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def event_of_sending(kind: str, message: DirectMessage, what: Json) -> WebhookEvent:
    """Return an event that has the direction and the time of *message*."""
    ends = (message.igsid, message.account_id)
    sender, recipient = ends if message.is_from_person else ends[::-1]
    body = addressed(sender, recipient, message.created) | what
    return WebhookEvent(kind, message.account_id, message.igsid, message.mid, body)


def event_by_person(kind: str, message: DirectMessage, what: Json, at: int) -> WebhookEvent:
    """Return an event that the person caused *at* (UTC ms), whichever side wrote *message*."""
    body = addressed(message.igsid, message.account_id, at) | what
    return WebhookEvent(kind, message.account_id, message.igsid, message.mid, body)


def addressed(sender: str, recipient: str, at: int) -> Json:
    """Return the members that all events with two sides have."""
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at}


def content_members(content: MessageContent) -> Json:
    """Return the members of `message` that have a value; Meta leaves the others out."""
    tapped = content.quick_reply
    members = {
        "text": content.text,
        "attachments": list(content.attachments) or None,
        "quick_reply": None if tapped is None else {"payload": tapped},
        "reply_to": content.reply_to,
        "referral": content.referral,
    }
    return {name: value for name, value in members.items() if value is not None}
