"""
Outgoing messages: as the outbox keeps them, as Meta takes them, and as Meta shows them again.

An outgoing message is the Graph API's `message` object, `{"text": "…"}` for mere words. A
reaction is a sender action and has that and its payload instead. What is more than words
also has, under `FALLBACK`, the messages that stand in for it when Meta refuses it; nobody
but the outbox gets to see them.

Nothing tells an attachment when Meta shows it again except its kind: Meta gives it an address
of its own, and reads have other names for it than sends. So a kind here is one that all three
agree on: `image`, `template`, or `file` for all that has a length or pages.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from .lenient import JsonObject, as_object, as_text

Outgoing: TypeAlias = Mapping[str, object]

MAX_QUICK_REPLIES = 13
MAX_BUTTONS = 3  # below a text, and of each card
MAX_BUTTONS_TEXT = 640
MAX_CARDS = 10  # side by side
MAX_CARD_TEXT = 80  # of a title, and of a subtitle
MAX_TITLE = 20  # of a quick reply, and of a button
MAX_PAYLOAD = 1000
MEGABYTES = {"image": 8, "audio": 25, "video": 25, "file": 25}
"""The size of each kind of media that Meta takes, which only Meta can see."""

FALLBACK = "fallback"
REPLY_TO = "reply_to"  # of a message that quotes another: `{"mid": …}`; beside Meta's `message`
COMMENT = "comment_id"  # of a private reply: the comment that it is sent to, and not to a person
FETCH_SECONDS = 75.0  # that Meta may take to fetch a file before it gives up (error 100/2018294)

# A voice note is served as a film, and reads call either a file.
_KINDS = {"audio": "file", "video": "file"}
_TIMED = frozenset({"audio", "video"})
_MEDIA = _TIMED | {"image", "file"}
_READ_NAMES = (("image_data", "image"), ("video_data", "file"), ("generic_template", "template"))


# --- as they are made --------------------------------------------------------


def attachment(kind: str, payload: JsonObject, fallback: Sequence[Outgoing]) -> Outgoing:
    """Return the message that is an attachment of *kind*, with its *fallback*."""
    return {"attachment": {"type": kind, "payload": payload}, FALLBACK: list(fallback)}


def reaction(mid: str, emoji: str, fallback: Sequence[Outgoing]) -> Outgoing:
    """Return the reaction *emoji* to the person's message *mid*, with its *fallback*."""
    payload = {"message_id": mid, "reaction": emoji}
    return {"sender_action": "react", "payload": payload, FALLBACK: list(fallback)}


def quoting(mid: str, message: Outgoing) -> Outgoing:
    """Return *message* as a reply to the message *mid*; as it is if Meta refuses that."""
    return {**message, REPLY_TO: {"mid": mid}, FALLBACK: [dict(message)]}


# --- as they are sent --------------------------------------------------------


def request_body(recipient: str, message: Outgoing) -> JsonObject:
    """Return the body of the call that sends *message* to *recipient*, an IGSID."""
    said = {name: it for name, it in message.items() if name not in (FALLBACK, COMMENT, REPLY_TO)}
    comment = message.get(COMMENT)
    to: JsonObject = {"recipient": {COMMENT: comment} if comment else {"id": recipient}}
    if REPLY_TO in message:
        to[REPLY_TO] = message[REPLY_TO]
    return to | said if is_action(message) else {**to, "message": said}


def is_action(message: Outgoing) -> bool:
    """
    Return whether *message* is a sender action.

    Meta gives it no id and no echo, and does it once however often it is asked to.
    """
    return "sender_action" in message


def is_timed_media(message: Outgoing) -> bool:
    """Return whether *message* is a sound or a film, of which Meta takes 10 a second."""
    return _type_of(message) in _TIMED


def fetch_seconds(message: Outgoing) -> float:
    """Return for how many seconds Meta may be busy to fetch what *message* refers to."""
    return FETCH_SECONDS if _type_of(message) in _MEDIA else 0.0


def fallback_of(message: Outgoing) -> tuple[Outgoing, ...]:
    """Return the messages that stand in for *message* when Meta refuses it; maybe none."""
    instead = message.get(FALLBACK)
    messages = tuple(map(as_object, instead)) if isinstance(instead, list) else ()
    if messages and COMMENT in message:
        return {COMMENT: message[COMMENT], **messages[0]}, *messages[1:]
    return messages


# --- as Meta shows them again -------------------------------------------------


def sent_kind(message: Outgoing) -> str | None:
    """Return the kind of the attachment that *message* sends, `None` if it is words."""
    sent = _type_of(message)
    return _KINDS.get(sent, sent) if sent else None


def echoed_kind(echo: JsonObject) -> str | None:
    """Return the kind of the attachment in the `message` of an *echo*, if it has one."""
    listed = echo.get("attachments")
    first = as_object(listed[0]) if isinstance(listed, list) and listed else {}
    shown = as_text(first.get("type"))
    return _KINDS.get(shown, shown) if shown else None


def read_kind(message: JsonObject) -> str:
    """Return the kind of the attachment of a *message* that was read, empty if none is seen."""
    listed = as_object(message.get("attachments")).get("data")
    if not isinstance(listed, list) or not listed:
        return ""
    first = as_object(listed[0])
    for name, kind in _READ_NAMES:
        if name in first:
            return kind
    mime_type = as_text(first.get("mime_type")) or ""
    return "image" if mime_type.startswith("image/") else "file"


def attachment_key(kind: str) -> str:
    """Return what the outbox knows an attachment of *kind* by; no digest of a text is like it."""
    return f"attachment:{kind}"


def words_of(message: Outgoing) -> str:
    """Return what *message* says, in the words of its fallback if it has none of its own."""
    if isinstance(text := message.get("text"), str):
        return text
    return "\n".join(filter(None, map(words_of, fallback_of(message))))


def part_of(message: Outgoing) -> str:
    """Return which part of an answer *message* carries out, by the name of its class."""
    if is_action(message):
        return "Reaction"
    if REPLY_TO in message:
        return "ReplyTo"
    if (sent := _type_of(message)) != "template":
        return "Media" if sent else "QuickReplies"
    payload = as_object(as_object(message.get("attachment")).get("payload"))
    return "Buttons" if payload.get("template_type") == "button" else "Cards"


def _type_of(message: Outgoing) -> str | None:
    return as_text(as_object(message.get("attachment")).get("type"))
