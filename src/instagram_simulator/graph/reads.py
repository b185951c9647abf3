"""Reads of the Graph API: the account, people's profiles, conversations and messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice

from instagram_simulator.state import ConversationState, Unknown, World
from instagram_simulator.values import DirectMessage, Json, ProfessionalAccount

from .responses import GraphRefusal

DEFAULT_LIMIT = 25
MAX_LIMIT = 500

Query = Mapping[str, str]


class Reads:
    """The answers to each GET that is about people, messages and conversations."""

    def __init__(self, world: World) -> None:
        self._world = world

    def me(self, account: ProfessionalAccount, query: Query) -> Json:
        """Return the account: `user_id` is what webhooks carry, `id` is another id."""
        return only(
            {
                "id": account.app_scoped_id,
                "user_id": account.account_id,
                "username": account.username,
                "name": account.name,
                "account_type": "BUSINESS",
            },
            query.get("fields"),
        )

    def conversations(self, account: ProfessionalAccount, query: Query) -> Json:
        """Return the conversations that have begun, or the one with `user_id`."""
        igsid = query.get("user_id")
        asked_for: Iterable[ConversationState] = self._world.conversations()
        if igsid is not None:
            try:
                asked_for = (self._world.conversation(igsid),)
            except Unknown:
                asked_for = ()
        begun = (
            self.conversation(each, query)
            for each in asked_for
            if each.mids and each.person.account_id == account.account_id
        )
        return {"data": list(islice(begun, limit_of(query)))}

    def node(self, account: ProfessionalAccount, node: str, query: Query) -> Json:
        """Return the conversation, message or person that *node* is."""
        conversation = self._world.conversation_by_id(node)
        if conversation is not None and conversation.person.account_id == account.account_id:
            return self.conversation(conversation, query)
        try:
            message = self._world.message(node)
        except Unknown:
            return self.profile(account, node, query)
        if message.account_id != account.account_id:
            raise not_found()
        if not self._world.is_readable(message):
            raise GraphRefusal(9000001, None, "The message was deleted or is too old")
        return only(self.details(message), query.get("fields"))

    def conversation(self, conversation: ConversationState, query: Query) -> Json:
        """Return a conversation, with its newest messages if they were asked for."""
        answer: Json = {
            "id": conversation.conversation_id,
            "updated_time": graph_time(conversation.updated),
        }
        fields = query.get("fields", "")
        if "messages" in fields:
            newest = self._world.newest(conversation.person.igsid, limit_of(query))
            answer["messages"] = {"data": [self.list_item(each, fields) for each in newest]}
        return answer

    def list_item(self, message: DirectMessage, fields: str) -> Json:
        """Return an item of a list: details if fields were named and it is new enough."""
        if "messages{" in fields and self._world.is_readable(message):
            return self.details(message)
        return {"id": message.mid, "created_time": graph_time(message.created)}

    def details(self, message: DirectMessage) -> Json:
        """Return all fields of *message*."""
        account = self._world.accounts[message.account_id]
        person = self._world.conversation(message.igsid).person
        ours = {"id": account.account_id, "username": account.username}
        theirs = {"id": person.igsid, "username": person.username}
        sender, recipient = (theirs, ours) if message.is_from_person else (ours, theirs)
        answer: Json = {
            "id": message.mid,
            "created_time": graph_time(message.created),
            "from": sender,
            "to": {"data": [recipient]},
            "message": message.content.text or "",
        }
        if message.content.attachments:
            answer["attachments"] = {"data": list(message.content.attachments)}
        return answer

    def profile(self, account: ProfessionalAccount, igsid: str, query: Query) -> Json:
        """Return a person's profile; writing to the account is their consent to that."""
        try:
            conversation = self._world.conversation(igsid)
        except Unknown:
            raise not_found() from None
        person = conversation.person
        if person.account_id != account.account_id:
            raise not_found()
        if conversation.last_inbound is None:
            raise GraphRefusal(230, None, "User consent is required to access user profile")
        profile = {
            "id": person.igsid,
            "name": person.name,
            "username": person.username,
            "profile_pic": None,
            "follower_count": 128,
            "is_user_follow_business": True,
            "is_business_follow_user": False,
            "is_verified_user": False,
        }
        return only(profile, query.get("fields"))


def not_found() -> GraphRefusal:
    """Return what Meta says about things that are not there or not yours."""
    return GraphRefusal(100, 33, "Unsupported request: the object does not exist")


def only(known: Json, fields: str | None) -> Json:
    """Return the members that *fields* names; `id` comes always, unknown ones never."""
    asked = {"id", *(fields or ",".join(known)).split(",")}
    return {name: value for name, value in known.items() if name in asked}


def limit_of(query: Query) -> int:
    """Return how many items *query* asks for, at most 500."""
    limit = query.get("limit", "")
    return min(int(limit), MAX_LIMIT) if limit.isdecimal() else DEFAULT_LIMIT


def graph_time(milliseconds: int) -> str:
    """Return *milliseconds* as the Graph API writes times, `2026-01-31T12:00:00+0000`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
