"""`POST /{account}/messages`: messages and sender actions, checked and applied."""

from __future__ import annotations

from dataclasses import dataclass

from instagram_simulator.journal import Journal
from instagram_simulator.shape import message_json
from instagram_simulator.values import Account, Json, Message
from instagram_simulator.world import Conversation, Unknown, World

from .answers import GraphError
from .checks import content_of

HUMAN_AGENT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Applied:
    """What a call did: the *answer* for it, and the *message* if it sent one."""

    answer: Json
    message: Message | None = None


class Messages:
    """Applies what an account sends to its conversations."""

    def __init__(self, world: World, journal: Journal) -> None:
        self._world = world
        self._journal = journal

    def post(self, account: Account, body: Json) -> Applied:
        """Apply *body*; raise `GraphError` and change nothing if Meta would not."""
        conversation = self._recipient(account, body)
        action = body.get("sender_action")
        if action is None:
            return self._send(conversation, body)
        if "message" in body:
            raise GraphError(100, None, "Send either a message or a sender_action")
        self._act(conversation, str(action), body.get("payload"))
        return Applied({"recipient_id": conversation.person.igsid})

    def _recipient(self, account: Account, body: Json) -> Conversation:
        recipient = body.get("recipient")
        igsid = recipient.get("id") if isinstance(recipient, dict) else None
        if igsid is None:
            raise GraphError(100, None, "The parameter recipient is required")
        try:
            conversation = self._world.conversation(str(igsid))
        except Unknown:
            conversation = None
        if conversation is None or conversation.person.account_id != account.account_id:
            raise GraphError(100, 2534014, "No matching Instagram user")
        return conversation

    def _send(self, conversation: Conversation, body: Json) -> Applied:
        content = content_of(body)
        igsid = conversation.person.igsid
        self._check_window(igsid, is_human=body.get("tag") == "HUMAN_AGENT")
        message = self._world.write(igsid, "service", content)
        self._journal.write("message", **message_json(message))
        return Applied({"recipient_id": igsid, "message_id": message.mid}, message)

    def _check_window(self, igsid: str, *, is_human: bool) -> None:
        is_open = (
            self._world.is_window_open(igsid, HUMAN_AGENT_SECONDS)
            if is_human
            else self._world.is_window_open(igsid)
        )
        if not is_open:
            raise GraphError(10, 2534022, "This message is sent outside of allowed window.")

    def _act(self, conversation: Conversation, action: str, payload: object) -> None:
        match action:
            case "typing_on" | "typing_off":
                self._type(conversation, is_on=action == "typing_on")
            case "mark_seen":
                self._mark_seen(conversation)
            case "react" | "unreact":
                self._react(conversation, action, payload if isinstance(payload, dict) else {})
            case _:
                raise GraphError(100, None, "Param sender_action must be one of a known set")

    def _type(self, conversation: Conversation, *, is_on: bool) -> None:
        conversation.is_typing = is_on
        self._journal.write("typing", igsid=conversation.person.igsid, is_on=is_on)

    def _mark_seen(self, conversation: Conversation) -> None:
        conversation.seen_by_account = len(conversation.mids)
        self._journal.write(
            "seen",
            igsid=conversation.person.igsid,
            by="account",
            count=conversation.seen_by_account,
        )

    def _react(self, conversation: Conversation, action: str, payload: Json) -> None:
        try:
            message = self._world.message(str(payload.get("message_id")))
        except Unknown:
            raise GraphError(100, 2534015, "Invalid message id") from None
        if message.igsid != conversation.person.igsid:
            raise GraphError(100, 2534015, "The message is of another conversation")
        name = str(payload.get("reaction", "love"))
        emoji = _NAMED.get(name, name) if action == "react" else None
        message = self._world.react(message.mid, "account", emoji)
        self._journal.write("message.changed", **message_json(message))


_NAMED = {"love": "❤️", "like": "👍", "laugh": "😆", "wow": "😮", "sad": "😢", "angry": "😡"}
