"""
The nodes that a GET can be about: an account, a profile, a conversation, a message.

Each has its fields with their values; a read selects from them what it asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from instagram_simulator.state import ConversationState, World
from instagram_simulator.values import DirectMessage, Json, ProfessionalAccount

from .fields import Field
from .responses import GraphRefusal

FOLLOWERS = 128

# A value, or how it is found for the field that asks for it.
Value = object | Callable[[Field], object]


@dataclass(frozen=True, slots=True)
class Node:
    """
    One node, of a *kind* as Meta names it.

    *values* has its fields without `id`. *empty* names those which Meta knows too, but
    leaves out of its answer when they have no value: here they never have one. *defaults*
    are given when no field was asked for.
    """

    kind: str
    id: str
    values: Mapping[str, Value]
    defaults: Sequence[str]
    empty: frozenset[str] = frozenset()

    def select(self, asked: Sequence[Field]) -> Json:
        """Return `id` and the fields that were *asked* for; raise for one that does not exist."""
        answer: Json = {"id": self.id}
        for each in asked or map(Field, self.defaults):
            if each.name in self.values:
                value = self.values[each.name]
                answer[each.name] = value(each) if callable(value) else within(value, each.fields)
            elif each.name != "id" and each.name not in self.empty:
                why = f"Tried accessing nonexisting field ({each.name}) on node type ({self.kind})"
                raise GraphRefusal(100, None, why)
        return answer


def within(value: object, asked: Sequence[Field]) -> object:
    """Return *value* with those members of its objects that were *asked* for, all if none was."""
    if not asked or not isinstance(value, dict):
        return value
    if isinstance(value.get("data"), list):
        return {**value, "data": [within(each, asked) for each in value["data"]]}
    return {
        each.name: within(value[each.name], each.fields) for each in asked if each.name in value
    }


def account_node(account: ProfessionalAccount) -> Node:
    """
    Return *account*: `user_id` is what webhooks carry, `id` is another id.

    With Unified Login `id` is what webhooks carry, and there is no other.
    """
    if account.is_unified:
        return unified_node(account)
    values: Mapping[str, Value] = {
        "user_id": account.account_id,
        "username": account.username,
        "name": account.name,
        "account_type": "BUSINESS",
        "followers_count": FOLLOWERS,
        "follows_count": 0,
        "media_count": 0,
    }
    defaults = ("user_id", "username", "name", "account_type")
    empty = frozenset({"biography", "profile_picture_url", "website"})
    return Node("IGUser", account.app_scoped_id, values, defaults, empty)


def unified_node(account: ProfessionalAccount) -> Node:
    """Return *account* as `graph.facebook.com` has it."""
    values: Mapping[str, Value] = {
        "username": account.username,
        "name": account.name,
        "followers_count": FOLLOWERS,
        "follows_count": 0,
        "media_count": 0,
    }
    empty = frozenset({"biography", "profile_picture_url", "website"})
    return Node("IGUser", account.account_id, values, (), empty)


def system_user_node(account: ProfessionalAccount) -> Node:
    """Return whom a token of Unified Login belongs to: a user of the business, no account."""
    return Node("User", account.app_scoped_id, {"name": "Integration"}, ("name",))


def profile_node(conversation: ConversationState) -> Node:
    """Return the person of *conversation*; that they wrote to the account is their consent."""
    if conversation.last_inbound is None:
        raise GraphRefusal(230, None, "User consent is required to access user profile")
    person = conversation.person
    values: Mapping[str, Value] = {
        "name": person.name,
        "username": person.username,
        "profile_pic": None,
        "follower_count": FOLLOWERS,
        "is_user_follow_business": True,
        "is_business_follow_user": False,
        "is_verified_user": False,
    }
    return Node("IGBusinessScopedUser", person.igsid, values, tuple(values))


def conversation_node(
    world: World, conversation: ConversationState, messages: Callable[[Field], object]
) -> Node:
    """Return *conversation*; *messages* lists its messages as a field asks for them."""
    ours, theirs = ends_of(world, conversation)
    values: Mapping[str, Value] = {
        "updated_time": graph_time(conversation.updated),
        "message_count": len(conversation.mids),
        "unread_count": lambda _: sum(1 for _ in unread(world, conversation)),
        "participants": {"data": [ours, theirs]},
        "senders": {"data": [theirs]},
        "can_reply": world.is_window_open(conversation.person.igsid),
        "snippet": lambda _: snippet(world, conversation),
        "messages": messages,
    }
    empty = frozenset(
        {"folder", "former_participants", "is_owner", "is_subscribed", "link", "name"}
    )
    identity = conversation.conversation_id
    return Node("InstagramThread", identity, values, ("updated_time",), empty)


def message_node(world: World, message: DirectMessage) -> Node:
    """Return *message* with all its details."""
    ours, theirs = ends_of(world, world.conversation(message.igsid))
    sender, recipient = (theirs, ours) if message.is_from_person else (ours, theirs)
    values: dict[str, Value] = {
        "created_time": graph_time(message.created),
        "from": sender,
        "to": {"data": [recipient]},
        "message": message.content.text or "",
        "tags": {"data": [{"name": "inbox"}]},
    }
    optional: Mapping[str, object] = {
        "attachments": [read_attachment(each) for each in message.content.attachments],
        "reactions": [
            {"reaction": emoji, "users": [theirs if by == "person" else ours]}
            for by, emoji in message.reactions.items()
        ],
        "reply_to": message.content.reply_to,
    }
    for name, value in optional.items():
        if value:
            values[name] = {"data": value} if isinstance(value, list) else value
    defaults = ("created_time", "from", "to", "message", "attachments")
    empty = frozenset({*optional, "is_unsupported", "shares", "sticker", "story"})
    return Node("InstagramMessage", message.mid, values, defaults, empty)


def ends_of(world: World, conversation: ConversationState) -> tuple[Json, Json]:
    """Return the two ends of *conversation*: the account's, the person's."""
    person = conversation.person
    account = world.accounts[person.account_id]
    ours = {"id": account.account_id, "username": account.username}
    return ours, {"id": person.igsid, "username": person.username}


def unread(world: World, conversation: ConversationState) -> Iterator[DirectMessage]:
    """Yield the person's messages that the account has not seen."""
    for mid in conversation.mids[conversation.seen_by_account :]:
        message = world.message(mid)
        if message.is_from_person:
            yield message


def snippet(world: World, conversation: ConversationState) -> str:
    """Return the text of the newest message of *conversation*."""
    newest = world.newest(conversation.person.igsid, 1)
    return (newest[0].content.text or "") if newest else ""


def read_attachment(attachment: Json) -> Json:
    """Return an *attachment* as reads have it; in webhooks and sends it looks otherwise."""
    kind, payload = attachment.get("type"), attachment.get("payload") or {}
    if kind == "template":
        return {"generic_template": payload}
    if kind in ("image", "video"):
        return {f"{kind}_data": {"url": payload.get("url")}}
    return {"file_url": payload["url"]} if "url" in payload else {"type": kind}


def graph_time(milliseconds: int) -> str:
    """Return *milliseconds* as the Graph API writes times, `2026-01-31T12:00:00+0000`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
