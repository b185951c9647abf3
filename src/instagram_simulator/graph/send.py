"""`POST /{account}/messages`: messages and sender actions, checked and applied."""

from __future__ import annotations

from dataclasses import dataclass

from instagram_simulator.journal import Journal
from instagram_simulator.state import WINDOW_SECONDS, ConversationState, Unknown, World
from instagram_simulator.values import DirectMessage, Json, ProfessionalAccount

from .responses import GraphRefusal
from .send_validation import content_of

HUMAN_AGENT_SECONDS = 7 * 24 * 3600


_NAMED = {"love": "❤️", "like": "👍", "laugh": "😆", "wow": "😮", "sad": "😢", "angry": "😡"}


@dataclass(frozen=True, slots=True)
class Applied:
    """The effect of a call: the *answer* for it, and the *message* if it sent one."""

    answer: Json
    message: DirectMessage | None = None


class SendApi:
    """The Send API: applies the messages and actions of an account to its conversations."""

    def __init__(self, world: World, journal: Journal) -> None:
        self._world = world
        self._journal = journal

    def post(self, account: ProfessionalAccount, body: Json) -> Applied:
        """Apply *body*; raise `GraphRefusal` and change nothing if Meta would not."""
        conversation = self.recipient(account, body)
        action = body.get("sender_action")
        if action is None:
            return self.send(conversation, body)
        if "message" in body:
            raise GraphRefusal(100, None, "Send either a message or a sender_action")
        self.act(conversation, str(action), body.get("payload"))
        return Applied({"recipient_id": conversation.person.igsid})

    def recipient(self, account: ProfessionalAccount, body: Json) -> ConversationState:
        """Return the conversation with the recipient that *body* names."""
        recipient = body.get("recipient")
        igsid = recipient.get("id") if isinstance(recipient, dict) else None
        if igsid is None:
            raise GraphRefusal(100, None, "The parameter recipient is required")
        try:
            conversation = self._world.conversation(str(igsid))
        except Unknown:
            conversation = None
        if conversation is None or conversation.person.account_id != account.account_id:
            raise GraphRefusal(100, 2534014, "No matching Instagram user")
        return conversation

    def send(self, conversation: ConversationState, body: Json) -> Applied:
        """Add the message of *body* to *conversation* if the window is open."""
        content = content_of(body)
        igsid = conversation.person.igsid
        is_human = body.get("tag") == "HUMAN_AGENT"
        if not self._world.is_window_open(
            igsid, HUMAN_AGENT_SECONDS if is_human else WINDOW_SECONDS
        ):
            raise GraphRefusal(10, 2534022, "This message is sent outside of allowed window.")
        message = self._world.write(igsid, "service", content)
        self._journal.write("message", **message.to_json())
        return Applied({"recipient_id": igsid, "message_id": message.mid}, message)

    def act(self, conversation: ConversationState, action: str, payload: object) -> None:
        """Do the sender *action*: typing, seen, or a reaction."""
        igsid = conversation.person.igsid
        match action:
            case "typing_on" | "typing_off":
                conversation.is_typing = action == "typing_on"
                self._journal.write("typing", igsid=igsid, is_on=conversation.is_typing)
            case "mark_seen":
                conversation.seen_by_account = count = len(conversation.mids)
                self._journal.write("seen", igsid=igsid, by="account", count=count)
            case "react" | "unreact":
                self.react(igsid, action, payload if isinstance(payload, dict) else {})
            case _:
                raise GraphRefusal(100, None, "Param sender_action must be one of a known set")

    def react(self, igsid: str, action: str, payload: Json) -> None:
        """Put the account's reaction on a message of its conversation with *igsid*, or off."""
        try:
            message = self._world.message(str(payload.get("message_id")))
        except Unknown:
            raise GraphRefusal(100, 2534015, "Invalid message id") from None
        if message.igsid != igsid:
            raise GraphRefusal(100, 2534015, "The message is of another conversation")
        name = str(payload.get("reaction", "love"))
        emoji = _NAMED.get(name, name) if action == "react" else None
        message = self._world.react(message.mid, "account", emoji)
        self._journal.write("message.changed", **message.to_json())
