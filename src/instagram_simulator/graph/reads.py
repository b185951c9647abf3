"""The read side: who the account is, who a person is, what was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from instagram_simulator.clock import graph_time
from instagram_simulator.values import Account, Json, Message, Person
from instagram_simulator.world import Conversation, Unknown, World

from .answers import GraphError

DEFAULT_LIMIT = 25
MAX_LIMIT = 500

Query = Mapping[str, str]


class Reads:
    """Answers every GET that is about people, messages and conversations."""

    def __init__(self, world: World) -> None:
        self._world = world

    def me(self, account: Account, query: Query) -> Json:
        """Return the account: `user_id` is what webhooks carry, `id` is another id."""
        return _only(
            {
                "id": account.app_scoped_id,
                "user_id": account.account_id,
                "username": account.username,
                "name": account.name,
                "account_type": "BUSINESS",
            },
            query.get("fields"),
        )

    def conversations(self, account: Account, query: Query) -> Json:
        """Return the conversations that have begun, or the one with `user_id`."""
        begun = (
            self._conversation(each, query)
            for each in self._asked_for(query.get("user_id"))
            if each.mids and each.person.account_id == account.account_id
        )
        return {"data": list(islice(begun, _limit(query)))}

    def node(self, account: Account, node: str, query: Query) -> Json:
        """Return the conversation, message or person that *node* is."""
        conversation = self._world.conversation_by_id(node)
        if conversation is not None and conversation.person.account_id == account.account_id:
            return self._conversation(conversation, query)
        try:
            message = self._world.message(node)
        except Unknown:
            return self._profile(account, node, query)
        return self._readable(account, message, query)

    def _asked_for(self, igsid: str | None) -> Iterable[Conversation]:
        if igsid is None:
            return self._world.conversations()
        try:
            return (self._world.conversation(igsid),)
        except Unknown:
            return ()

    def _conversation(self, conversation: Conversation, query: Query) -> Json:
        """Return a conversation, with its newest messages if they were asked for."""
        answer: Json = {
            "id": conversation.conversation_id,
            "updated_time": graph_time(conversation.updated),
        }
        fields = query.get("fields", "")
        if "messages" in fields:
            newest = self._world.newest(conversation.person.igsid, _limit(query))
            answer["messages"] = {"data": [self._listed(each, fields) for each in newest]}
        return answer

    def _listed(self, message: Message, fields: str) -> Json:
        """Return an item of a list: details if fields were named and it is new enough."""
        if "messages{" in fields and self._world.is_readable(message):
            return self._detailed(message)
        return {"id": message.mid, "created_time": graph_time(message.created)}

    def _readable(self, account: Account, message: Message, query: Query) -> Json:
        if message.account_id != account.account_id:
            raise not_found()
        if not self._world.is_readable(message):
            raise GraphError(9000001, None, "The message was deleted or is too old")
        return _only(self._detailed(message), query.get("fields"))

    def _detailed(self, message: Message) -> Json:
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

    def _profile(self, account: Account, igsid: str, query: Query) -> Json:
        """Return who a person is; writing to the account is their consent to that."""
        try:
            conversation = self._world.conversation(igsid)
        except Unknown:
            raise not_found() from None
        if conversation.person.account_id != account.account_id:
            raise not_found()
        if conversation.last_inbound is None:
            raise GraphError(230, None, "User consent is required to access user profile")
        return _only(_profile_of(conversation.person), query.get("fields"))


def not_found() -> GraphError:
    """Return what Meta says about things that are not there or not yours."""
    return GraphError(100, 33, "Unsupported request: the object does not exist")


def _profile_of(person: Person) -> Json:
    return {
        "id": person.igsid,
        "name": person.name,
        "username": person.username,
        "profile_pic": None,
        "follower_count": 128,
        "is_user_follow_business": True,
        "is_business_follow_user": False,
        "is_verified_user": False,
    }


def _only(known: Json, fields: str | None) -> Json:
    """Return the members that *fields* names; `id` comes always, unknown ones never."""
    asked = {"id", *(fields or ",".join(known)).split(",")}
    return {name: value for name, value in known.items() if name in asked}


def _limit(query: Query) -> int:
    limit = query.get("limit", "")
    return min(int(limit), MAX_LIMIT) if limit.isdecimal() else DEFAULT_LIMIT
