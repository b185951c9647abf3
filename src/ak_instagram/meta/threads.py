"""
The listing of an account's conversations, read so that messages which no webhook brought show.

A listed message becomes the same event that its webhook would have made, with the same key.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/conversations-api
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ak_instagram import fast_json

from .events import Event, Kind
from .keys import mid_key
from .lenient import JsonObject, as_id, as_list, as_object, as_text, id_of, iso_millis
from .parse import read_messaging

READABLE = 20  # newest messages of a conversation of which Meta gives the details
_DETAILS = "id,created_time,from,to,message,attachments,reply_to,is_unsupported"
FIELDS = f"id,updated_time,messages.limit({READABLE}){{{_DETAILS}}}"

# As which a message may be known: its own kind, and what else has its mid. An echo is one
# whose sender the listing tells otherwise than the webhook did.
_KNOWN_AS = (Kind.MESSAGE, Kind.POSTBACK, Kind.ECHO, Kind.SELF, Kind.UNSEND)


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation as it is listed; *updated_at* is UTC ms, *messages* are newest first."""

    updated_at: int
    messages: tuple[JsonObject, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """
    A page of conversations.

    *after* is the cursor of the next page, `None` at the end; *unreadable* counts the
    conversations that say nothing of when they were changed.
    """

    threads: tuple[Thread, ...]
    after: str | None = None
    unreadable: int = 0


class Listed(NamedTuple):
    """
    A person's message as the event that its webhook would have made.

    *keys* are those under which it may be stored already. *said_since* are the mids of
    what the account said in the conversation after it.
    """

    event: Event
    keys: tuple[str, ...]
    said_since: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """
    The account by all that a listing may call it.

    *account* is the id that webhooks carry, *names* are that, its other ids and user name.
    """

    account: str
    names: frozenset[str]

    def wrote(self, message: JsonObject) -> bool | None:
        """Return whether the account wrote *message*, `None` if that is not said."""
        sender = as_object(message.get("from"))
        name = as_text(sender.get("username"))
        if (name and name in self.names) or (known := as_id(sender.get("id"))) in self.names:
            return True
        return False if known else None


def read_page(body: bytes) -> ThreadPage:
    """Return the page in *body*; `ValueError` for what is no listing."""
    answer = fast_json.load_object(body)
    listed = None if answer is None else answer.get("data")
    if answer is None or not isinstance(listed, list):
        raise ValueError("no list of conversations")
    threads = tuple(filter(None, map(read_thread, listed)))
    paging = as_object(answer.get("paging"))
    after = as_text(as_object(paging.get("cursors")).get("after"))
    # Meta's last page has cursors too, and no link to a next one.
    return ThreadPage(threads, after if paging.get("next") else None, len(listed) - len(threads))


def read_thread(thread: object) -> Thread | None:
    """Return *thread*, `None` if it does not say when it was changed."""
    if not isinstance(thread, dict):
        return None
    messages = as_list(as_object(thread.get("messages")).get("data"))
    readable = tuple(each for each in messages if isinstance(each, dict))
    times = (iso_millis(each.get("created_time")) for each in readable)
    updated_at = iso_millis(thread.get("updated_time")) or next(filter(None, times), None)
    return None if updated_at is None else Thread(updated_at, readable)


def listed_messages(
    threads: Iterable[Thread], own: Own, since: int, until: int
) -> Iterator[Listed]:
    """
    Yield what people wrote in *threads* from *since* and before *until* (UTC ms).

    What has no details, no sender or no time is passed over: Meta gives none of messages
    that were taken back.
    """
    for thread in threads:
        said_since: list[str] = []
        for message in thread.messages:
            mid, by_account = as_id(message.get("id")), own.wrote(message)
            if mid is None:
                continue
            if by_account:
                said_since.append(mid)
            at = iso_millis(message.get("created_time"))
            if by_account is not False or at is None or not since <= at < until:
                continue
            event = read_messaging(webhook_item(message, own.account, at), own.account, at)
            if event is not None and event.kind is Kind.MESSAGE:
                keys = tuple(mid_key(kind, own.account, mid) for kind in _KNOWN_AS)
                yield Listed(event, keys, tuple(said_since))


def webhook_item(message: JsonObject, account: str, at: int) -> JsonObject:
    """Return the item of `messaging[]` by which a webhook would have told of *message*."""
    body: JsonObject = {"mid": message.get("id")}
    if text := as_text(message.get("message")):
        body["text"] = text
    if attachments := [*_attachments(message.get("attachments"))]:
        body["attachments"] = attachments
    quoted = as_object(message.get("reply_to"))
    if mid := as_id(quoted.get("mid")) or as_id(quoted.get("id")):
        body["reply_to"] = {"mid": mid}
    elif story := as_object(quoted.get("story")):
        body["reply_to"] = {"story": story}
    if message.get("is_unsupported"):
        body["is_unsupported"] = True
    return {
        "sender": {"id": id_of(message.get("from"))},
        "recipient": {"id": account},
        "timestamp": at,
        "message": body,
    }


def _attachments(listed: object) -> Iterator[JsonObject]:
    """Yield the attachments that a read has, as a webhook has them."""
    for each in map(as_object, as_list(as_object(listed).get("data"))):
        named = [(kind, as_object(each.get(f"{kind}_data"))) for kind in ("image", "video")]
        found = next(((kind, data.get("url")) for kind, data in named if data), None)
        if found is None and "file_url" in each:
            is_audio = str(each.get("mime_type")).startswith("audio/")
            found = ("audio" if is_audio else "file", each["file_url"])
        if found is None:
            kind = "template" if "generic_template" in each else as_text(each.get("type"))
            found = (kind or "file", None)
        kind, url = found
        yield {"type": kind, "payload": {"url": url} if url else {}}
