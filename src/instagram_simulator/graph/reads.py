"""Reads of the Graph API: the account, people's profiles, conversations and messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from instagram_simulator.state import ConversationState, Unknown, World
from instagram_simulator.values import DirectMessage, Json, ProfessionalAccount

from .fields import Field, parse_fields
from .nodes import (
    Node,
    account_node,
    conversation_node,
    graph_time,
    message_node,
    profile_node,
    system_user_node,
)
from .paging import Page, listing, page_of, wrong_cursor
from .request import GraphCall
from .responses import GraphRefusal

_FILTERS = ("folder", "tags", "updated_after_ms", "updated_before_ms")


@dataclass(frozen=True, slots=True)
class Reads:
    """The answers to *call*, a GET of *account* that is about people, messages, conversations."""

    world: World
    account: ProfessionalAccount
    call: GraphCall

    def me(self) -> Json:
        """Return the account."""
        return account_node(self.account).select(self.fields)

    def system_user(self) -> Json:
        """Return whom the token of Unified Login belongs to."""
        return system_user_node(self.account).select(self.fields)

    def conversations(self) -> Json:
        """Return the conversations that have begun, newest first, or the one with `user_id`."""
        parameters = self.call.parameters
        if str(parameters.get("platform", "instagram")).lower() != "instagram":
            raise GraphRefusal(100, None, "Param platform must be one of {INSTAGRAM}")
        for name in _FILTERS:
            if name in parameters:
                raise GraphRefusal(100, None, f"The simulator does not have the parameter {name}")
        begun = [each for each in self.asked_for() if self.is_ours(each) and each.mids]
        begun.sort(key=lambda each: each.updated, reverse=True)
        page = page_of(parameters)
        ids = [each.conversation_id for each in begun]
        start = 0
        if page.after is not None:
            if page.after not in ids:
                raise wrong_cursor()
            start = ids.index(page.after) + 1
        end = start + page.limit
        data = [self.conversation(each).select(self.fields) for each in begun[start:end]]
        path = f"{self.call.node}/conversations"
        is_rest = bool(data) and end < len(begun)
        link = page.next_link(self.call, path, self.fields, ids[end - 1]) if is_rest else None
        return listing(data, link)

    def asked_for(self) -> Sequence[ConversationState]:
        """Return the conversation with `user_id`, all if nobody is named."""
        igsid = self.call.parameters.get("user_id")
        if igsid is None:
            return [*self.world.conversations()]
        try:
            return [self.world.conversation(str(igsid))]
        except Unknown:
            return []

    def node(self) -> Json:
        """Return the conversation, message or person that the call's node is."""
        name = self.call.node
        conversation = self.world.conversation_by_id(name)
        if conversation is not None and self.is_ours(conversation):
            return self.conversation(conversation).select(self.fields)
        try:
            message = self.world.message(name)
        except Unknown:
            return self.profile(name).select(self.fields)
        if message.account_id != self.account.account_id:
            raise not_found(self.call)
        if not self.world.is_readable(message):
            raise GraphRefusal(9000001, None, "The message was deleted or is too old")
        return message_node(self.world, message).select(self.fields)

    def messages_edge(self) -> Json:
        """Return the messages of the conversation that the call's node is."""
        conversation = self.world.conversation_by_id(self.call.node)
        if conversation is None or not self.is_ours(conversation):
            raise not_found(self.call)
        return self.messages(conversation, page_of(self.call.parameters), self.fields)

    def profile(self, igsid: str) -> Node:
        """Return the profile of the person *igsid*."""
        try:
            conversation = self.world.conversation(igsid)
        except Unknown:
            raise not_found(self.call) from None
        if not self.is_ours(conversation):
            raise not_found(self.call)
        return profile_node(conversation)

    def conversation(self, conversation: ConversationState) -> Node:
        """Return *conversation*, its messages as far as a field asks for them."""

        def messages(asked: Field) -> Json:
            """Return the page of messages that *asked* names."""
            return self.messages(conversation, page_of(asked.arguments), asked.fields)

        return conversation_node(self.world, conversation, messages)

    def messages(self, conversation: ConversationState, page: Page, asked: Sequence[Field]) -> Json:
        """Return a page of messages, newest first."""
        before = len(conversation.mids)
        if page.after is not None:
            before = self.position_of(page.after, conversation)
        first = max(0, before - page.limit)
        newest = reversed(conversation.mids[first:before])
        data = [self.list_item(self.world.message(mid), asked) for mid in newest]
        path = f"{conversation.conversation_id}/messages"
        is_rest = bool(data) and first > 0
        link = page.next_link(self.call, path, asked, data[-1]["id"]) if is_rest else None
        return listing(data, link)

    def position_of(self, mid: str, conversation: ConversationState) -> int:
        """Return the place of the message *mid* in *conversation*."""
        try:
            message = self.world.message(mid)
        except Unknown:
            raise wrong_cursor() from None
        if message.igsid != conversation.person.igsid:
            raise wrong_cursor()
        return message.position

    def list_item(self, message: DirectMessage, asked: Sequence[Field]) -> Json:
        """Return an item of a list: details if fields were named and it is new enough."""
        if asked and self.world.is_readable(message):
            return message_node(self.world, message).select(asked)
        return {"id": message.mid, "created_time": graph_time(message.created)}

    def is_ours(self, conversation: ConversationState) -> bool:
        """Whether *conversation* is one of the account."""
        return conversation.person.account_id == self.account.account_id

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that the call asks for."""
        return parse_fields(str(self.call.parameters.get("fields", "")))


def not_found(call: GraphCall) -> GraphRefusal:
    """Return what Meta says about things that are not there or not yours."""
    why = (
        f"Unsupported {call.method.lower()} request. Object with ID '{call.node}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation"
    )
    return GraphRefusal(100, 33, why)
