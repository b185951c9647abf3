"""
What Meta posts to a webhook: the events, their envelope and its signature.

The shapes are those of https://developers.facebook.com/docs/instagram-platform/webhooks/examples.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass

from .values import Json, Message


@dataclass(frozen=True, slots=True)
class Event:
    """
    One messaging event for the service.

    *kind* is `message`, `echo`, `unsend`, `edit`, `reaction`, `read`, `postback` or
    `referral`; *mid* is the message that it is about, if any.
    """

    kind: str
    account_id: str
    igsid: str
    mid: str
    body: Json


def message_event(message: Message) -> Event:
    """Return what announces *message*: a message, a postback, or an echo."""
    if message.content.postback is not None:
        return _about("postback", message, _postback(message))
    inner = {"mid": message.mid, **_content(message)}
    if message.is_from_person:
        return _about("message", message, {"message": inner})
    return _about("echo", message, {"message": {**inner, "is_echo": True}})


def unsend_event(message: Message) -> Event:
    """Return what says that *message* was taken back."""
    return _about("unsend", message, {"message": {"mid": message.mid, "is_deleted": True}})


def edit_event(message: Message) -> Event:
    """Return what says that *message* has a new text."""
    edit = {"mid": message.mid, "text": message.content.text, "num_edit": message.edits}
    return _about("edit", message, {"message_edit": edit})


def edit_companion(message: Message) -> Event:
    """
    Return the edit that is none: Meta posts it beside many new messages.

    It has `num_edit` 0, no text, and often neither sender nor recipient.
    """
    body = {"timestamp": message.created, "message_edit": {"mid": message.mid, "num_edit": 0}}
    return Event("edit", message.account_id, message.igsid, message.mid, body)


def reaction_event(message: Message, emoji: str | None, at: int) -> Event:
    """Return what says that the person reacted to *message*, or took it off (`None`)."""
    reaction = {"mid": message.mid, "action": "react" if emoji else "unreact"}
    if emoji:
        reaction |= {"reaction": "love" if emoji == "❤️" else "other", "emoji": emoji}
    return _from_person("reaction", message, {"reaction": reaction}, at)


def read_event(message: Message, at: int) -> Event:
    """Return what says that the person has seen *message* of the account."""
    return _from_person("read", message, {"read": {"mid": message.mid}}, at)


def referral_event(account_id: str, igsid: str, ref: str, at: int) -> Event:
    """Return what says that the person came back by a link `ig.me/m/…?ref=`."""
    referral = {"ref": ref, "source": "IGME", "type": "OPEN_THREAD"}
    body = _addressed(igsid, account_id, at) | {"referral": referral}
    return Event("referral", account_id, igsid, "", body)


def envelope(account_id: str, events: Iterable[Event], at: int) -> bytes:
    """Return the body of one post; everything outside ASCII is escaped, as Meta does it."""
    entry = {"time": at, "id": account_id, "messaging": [event.body for event in events]}
    return json.dumps({"object": "instagram", "entry": [entry]}, ensure_ascii=True).encode()


def signature(body: bytes, app_secret: str) -> str:
    """Return the `X-Hub-Signature-256` of *body*."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def _about(kind: str, message: Message, what: Json) -> Event:
    """Return an event that happened when *message* was sent, in its direction."""
    ends = (message.igsid, message.account_id)
    sender, recipient = ends if message.is_from_person else ends[::-1]
    body = _addressed(sender, recipient, message.created) | what
    return Event(kind, message.account_id, message.igsid, message.mid, body)


def _from_person(kind: str, message: Message, what: Json, at: int) -> Event:
    """Return something that the person did to *message*, whoever wrote that."""
    body = _addressed(message.igsid, message.account_id, at) | what
    return Event(kind, message.account_id, message.igsid, message.mid, body)


def _addressed(sender: str, recipient: str, at: int) -> Json:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at}


def _content(message: Message) -> Json:
    """Return the members of `message` that say what it says; absent means absent."""
    content = message.content
    tapped = content.quick_reply
    members = {
        "text": content.text,
        "attachments": list(content.attachments) or None,
        "quick_reply": None if tapped is None else {"payload": tapped},
        "reply_to": content.reply_to,
        "referral": content.referral,
    }
    return {name: value for name, value in members.items() if value is not None}


def _postback(message: Message) -> Json:
    content = message.content
    return {
        "postback": {
            "mid": message.mid,
            "title": content.text or "",
            "payload": content.postback,
        }
    }
