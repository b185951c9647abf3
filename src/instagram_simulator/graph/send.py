"""`POST /{account}/messages`: messages and sender actions, checked and applied."""

from __future__ import annotations

from dataclasses import dataclass, replace

from instagram_simulator.engine import Engine
from instagram_simulator.state import WINDOW_SECONDS, ConversationState, Unknown
from instagram_simulator.values import Comment, DirectMessage, Json, ProfessionalAccount

from .responses import GraphRefusal
from .send_validation import INVALID, TAG, content_of
from .uploads import Uploads

HUMAN_AGENT_SECONDS = PRIVATE_REPLY_SECONDS = 7 * 24 * 3600

SENDER_ACTIONS = ("mark_seen", "typing_on", "typing_off", "react", "unreact")
_NAMED = {"love": "❤️", "like": "👍", "laugh": "😆", "wow": "😮", "sad": "😢", "angry": "😡"}


@dataclass(frozen=True, slots=True)
class Applied:
    """The effect of a call: the *answer* for it, and the *message* if it sent one."""

    answer: Json
    message: DirectMessage | None = None


class SendApi:
    """The Send API: applies the messages and actions of an account to its conversations."""

    def __init__(self, engine: Engine, uploads: Uploads) -> None:
        self._engine = engine
        self._world = engine.world
        self._journal = engine.journal
        self._uploads = uploads

    def post(self, account: ProfessionalAccount, body: Json) -> Applied:
        """Apply *body*; raise `GraphRefusal` and change nothing if Meta would not."""
        recipient = recipient_of(body)
        action = body.get("sender_action")
        if action is None:
            return self.send(account, recipient, body)
        if "message" in body:
            raise GraphRefusal(100, None, "Send either a message or a sender_action")
        conversation = self.conversation_with(account, recipient)
        self.act(conversation, str(action).lower(), body.get("payload"))
        return Applied({"recipient_id": conversation.person.igsid})

    def send(self, account: ProfessionalAccount, recipient: Json, body: Json) -> Applied:
        """Send the message of *body*: in an open window, or as the one reply to a comment."""
        content = content_of(body)
        attachments = tuple(self._uploads.resolved(account, each) for each in content.attachments)
        content = replace(content, attachments=attachments)
        comment = None
        if "comment_id" in recipient:
            comment = self.comment_to_reply(account, str(recipient["comment_id"]))
            recipient = {"id": comment.igsid}
        conversation = self.conversation_with(account, recipient)
        igsid = conversation.person.igsid
        if comment is None:
            self.check_window(igsid, is_tagged=body.get("tag") == TAG)
        self.check_quoted(igsid, content.reply_to)
        if comment is not None:
            self._world.note_reply(comment)
        message = self._world.write(igsid, "service", content)
        self._journal.write("message", **message.to_json())
        return Applied({"recipient_id": igsid, "message_id": message.mid}, message)

    def check_window(self, igsid: str, *, is_tagged: bool) -> None:
        """Raise unless the person *igsid* may be sent something now, perhaps with the tag."""
        behaviour = self._engine.behaviour
        if is_tagged and not behaviour.human_agent:
            why = "(#10) The app does not have the feature Human Agent"
            raise GraphRefusal(10, None, why)
        seconds = HUMAN_AGENT_SECONDS if is_tagged else WINDOW_SECONDS
        by_ad = behaviour.ad_window and self._world.is_ad_window_open(igsid)
        if not by_ad and not self._world.is_window_open(igsid, seconds):
            raise GraphRefusal(10, 2534022, "This message is sent outside of allowed window.")

    def conversation_with(self, account: ProfessionalAccount, recipient: Json) -> ConversationState:
        """Return the conversation of *account* with the person that *recipient* names."""
        try:
            conversation = self._world.conversation(str(recipient["id"]))
        except Unknown:
            conversation = None
        if conversation is None or conversation.person.account_id != account.account_id:
            raise GraphRefusal(100, 2534014, "No matching Instagram user")
        return conversation

    def comment_to_reply(self, account: ProfessionalAccount, comment_id: str) -> Comment:
        """Return the comment *comment_id*, if it may still have its private reply."""
        try:
            comment = self._world.comment(comment_id)
        except Unknown:
            comment = None
        if comment is None or comment.account_id != account.account_id:
            raise GraphRefusal(100, 2534014, "No matching comment")
        if self._world.is_replied(comment):
            raise GraphRefusal(10900, None, "The comment already has a private reply")
        if self._world.clock.now() - comment.created > PRIVATE_REPLY_SECONDS * 1000:
            raise GraphRefusal(100, 2534025, "The comment is older than 7 days")
        return comment

    def check_quoted(self, igsid: str, quoted: object) -> None:
        """Raise unless *quoted*, the `reply_to`, is a message of the conversation with *igsid*."""
        if quoted is None:
            return
        mid = quoted.get("mid") if isinstance(quoted, dict) else None
        try:
            is_theirs = self._world.message(str(mid)).igsid == igsid
        except Unknown:
            is_theirs = False
        if not is_theirs:
            raise GraphRefusal(100, INVALID, "Param reply_to[mid] is no message of this person")

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
                why = "Param sender_action must be one of "
                raise GraphRefusal(100, None, why + f"{{{', '.join(SENDER_ACTIONS)}}}")

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


def recipient_of(body: Json) -> Json:
    """Return the recipient that *body* names, by `id` or by `comment_id`."""
    recipient = body.get("recipient")
    if not isinstance(recipient, dict) or not recipient:
        raise GraphRefusal(100, None, "The parameter recipient is required and must be an object")
    if "comment_id" in recipient and "sender_action" in body:
        raise GraphRefusal(100, None, "A sender_action needs the recipient's id")
    if not recipient.get("id") and not recipient.get("comment_id"):
        names = ", ".join(map(str, recipient))
        raise GraphRefusal(100, None, f"The simulator does not have the recipient {names}")
    return recipient
