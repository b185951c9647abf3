"""The Graph API's answers as values; `ValueError` for what can't be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ak_instagram import fast_json


@dataclass(frozen=True, slots=True)
class Profile:
    """
    An account that a token belongs to.

    *user_id* is the professional account's id, which webhooks carry as `entry.id`;
    *id* is another one, scoped to the app.
    """

    user_id: str
    id: str
    username: str = ""


@dataclass(frozen=True, slots=True)
class RecentMessage:
    """
    A message of a conversation, of whichever side.

    *created_at* is in UTC milliseconds. Meta tells *text* and *from_id* of the newest
    20 only; they are empty for others.
    """

    mid: str
    text: str
    from_id: str
    created_at: int


def read_message_id(body: bytes) -> str:
    """Return the id of the message that was sent."""
    message_id = _object(body).get("message_id")
    if not isinstance(message_id, str) or not message_id:
        raise ValueError("no message_id")
    return message_id


def read_profile(body: bytes) -> Profile:
    """Return who `/me` is; documented inside `data[]`, in fact without."""
    answer = _object(body)
    wrapped = answer.get("data")
    me = wrapped[0] if isinstance(wrapped, list) and wrapped else answer
    user_id = _id(_member(me, "user_id"))
    if not user_id:
        raise ValueError("no user_id")
    return Profile(user_id, _id(_member(me, "id")) or user_id, str(_member(me, "username") or ""))


def read_recent_messages(body: bytes) -> tuple[RecentMessage, ...]:
    """Return the conversations' messages, newest first."""
    conversations = _object(body).get("data")
    if not isinstance(conversations, list):
        # This must not look like a conversation in which nothing has arrived.
        raise ValueError("no list of conversations")
    messages = (message for each in conversations for message in _messages(each))
    return tuple(sorted(messages, key=lambda message: message.created_at, reverse=True))


def _messages(conversation: object) -> Iterator[RecentMessage]:
    listed = _member(_member(conversation, "messages"), "data")
    for message in listed if isinstance(listed, list) else ():
        text = _member(message, "message")
        yield RecentMessage(
            mid=_id(_member(message, "id")),
            text=text if isinstance(text, str) else "",
            from_id=_id(_member(_member(message, "from"), "id")),
            created_at=_milliseconds(_member(message, "created_time")),
        )


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = fast_json.load(body)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    return answer


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _id(value: object) -> str:
    """Return an id, which Meta may write as a number."""
    is_id = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_id else ""


def _milliseconds(value: object) -> int:
    """Return Meta's `2026-08-31T14:30:00+0000` in UTC milliseconds."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("no created_time") from None
    return round(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
