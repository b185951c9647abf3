"""The Graph API's answers as values; `ValueError` for what can't be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ak_instagram import fast_json

from .lenient import JsonObject, as_id, as_object, id_of, iso_millis


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
    message_id = read_object(body).get("message_id")
    if not isinstance(message_id, str) or not message_id:
        raise ValueError("no message_id")
    return message_id


def read_profile(body: bytes) -> Profile:
    """Return the account that `/me` is; documented inside `data[]`, in fact without."""
    answer = read_object(body)
    wrapped = answer.get("data")
    me = as_object(wrapped[0]) if isinstance(wrapped, list) and wrapped else answer
    user_id = as_id(me.get("user_id"))
    if user_id is None:
        raise ValueError("no user_id")
    return Profile(user_id, as_id(me.get("id")) or user_id, str(me.get("username") or ""))


def read_recent_messages(body: bytes) -> tuple[RecentMessage, ...]:
    """Return the conversations' messages, newest first."""
    conversations = read_object(body).get("data")
    if not isinstance(conversations, list):
        # This must not look like a conversation in which nothing has arrived.
        raise ValueError("no list of conversations")
    messages = (message for each in conversations for message in messages_in(each))
    return tuple(sorted(messages, key=lambda message: message.created_at, reverse=True))


def messages_in(conversation: object) -> Iterator[RecentMessage]:
    """Yield the messages of one *conversation*, in the order that they are listed in."""
    listed = as_object(as_object(conversation).get("messages")).get("data")
    for message in map(as_object, listed if isinstance(listed, list) else ()):
        text, created_at = message.get("message"), iso_millis(message.get("created_time"))
        if created_at is None:
            raise ValueError("no created_time")
        yield RecentMessage(
            mid=as_id(message.get("id")) or "",
            text=text if isinstance(text, str) else "",
            from_id=id_of(message.get("from")) or "",
            created_at=created_at,
        )


def read_object(body: bytes) -> JsonObject:
    """Return the object that all answers are."""
    answer = fast_json.load_object(body)
    if answer is None:
        raise ValueError("not a JSON object")
    return answer
