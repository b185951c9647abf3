"""User actions: people write, react, edit, unsend and look; the service gets the webhooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from .engine import Engine
from .values import Comment, DirectMessage, Json, MessageContent
from .webhooks.payload import (
    WebhookEvent,
    comment_event,
    edit_companion,
    edit_event,
    message_event,
    reaction_event,
    read_event,
    referral_event,
    unsend_event,
)


class UserActions:
    """
    The phones of all people, and the account owner's.

    Each act changes the world at once and puts its webhook on the way. An id that
    nobody or nothing has raises `Unknown`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def say(self, igsid: str, text: str, *, reply_to: str | None = None) -> DirectMessage:
        """Send *text*, perhaps as a reply to the message *reply_to*."""
        quoted: Json | None = None if reply_to is None else {"mid": reply_to}
        return self._write(igsid, MessageContent(text=text, reply_to=quoted))

    def attach(self, igsid: str, kind: str, url: str, *, text: str | None = None) -> DirectMessage:
        """Send an attachment: an `image`, `video`, `audio`, `share`, …"""
        attachment: Json = {"type": kind, "payload": {"url": url}}
        return self._write(igsid, MessageContent(text=text, attachments=(attachment,)))

    def tap_quick_reply(self, igsid: str, title: str, payload: str) -> DirectMessage:
        """Tap a chip under a message of the account."""
        return self._write(igsid, MessageContent(text=title, quick_reply=payload))

    def tap_button(self, igsid: str, title: str, payload: str) -> DirectMessage:
        """Tap a button, an ice breaker or a menu entry: a postback."""
        return self._write(igsid, MessageContent(text=title, postback=payload))

    def reply_to_story(self, igsid: str, text: str, story_url: str) -> DirectMessage:
        """Answer a story of the account."""
        story: Json = {"story": {"id": "17990000000000000", "url": story_url}}
        return self._write(igsid, MessageContent(text=text, reply_to=story))

    def mention_in_story(self, igsid: str, url: str) -> DirectMessage:
        """Mention the account in a story."""
        return self.attach(igsid, "story_mention", url)

    def come_from_ad(self, igsid: str, text: str, ref: str, ad_id: str) -> DirectMessage:
        """Write after tapping an advertisement."""
        referral: Json = {"ref": ref, "ad_id": ad_id, "source": "ADS", "type": "OPEN_THREAD"}
        return self._write(igsid, MessageContent(text=text, referral=referral))

    def comment(self, igsid: str, text: str) -> Comment:
        """Comment on a post of the account, which may answer that once, privately."""
        comment = self._engine.world.write_comment(igsid, text)
        self._engine.journal.write("comment", **asdict(comment))
        self._engine.dispatch.send(comment_event(comment))
        return comment

    def open_link(self, igsid: str, ref: str) -> None:
        """Come back by a link `ig.me/m/…?ref=` without writing."""
        person = self._engine.world.conversation(igsid).person
        now = self._engine.world.clock.now()
        self._engine.dispatch.send(referral_event(person.account_id, igsid, ref, now))

    def unsend(self, mid: str) -> DirectMessage:
        """Take a message back; only an own message can be."""
        self._check_is_own(mid)
        return self._announce_change(self._engine.world.unsend(mid), unsend_event)

    def edit(self, mid: str, text: str) -> DirectMessage:
        """Change the text of an own message."""
        self._check_is_own(mid)
        return self._announce_change(self._engine.world.edit(mid, text), edit_event)

    def react(self, mid: str, emoji: str | None) -> DirectMessage:
        """React to a message of the account, or take the reaction off (`None`)."""
        message = self._engine.world.react(mid, "person", emoji)
        now = self._engine.world.clock.now()
        return self._announce_change(message, lambda each: reaction_event(each, emoji, now))

    def look(self, igsid: str) -> DirectMessage | None:
        """Look at the conversation; return the newest message that is seen by that, if any is."""
        engine, conversation = self._engine, self._engine.world.conversation(igsid)
        unseen = conversation.mids[conversation.seen_by_person :]
        conversation.seen_by_person = len(conversation.mids)
        theirs = [mid for mid in unseen if not engine.world.message(mid).is_from_person]
        if not theirs:
            return None
        message = engine.world.message(theirs[-1])
        engine.journal.write("seen", igsid=igsid, by="person", count=conversation.seen_by_person)
        engine.dispatch.send(read_event(message, engine.world.clock.now()))
        return message

    def answer_by_hand(self, igsid: str, text: str) -> DirectMessage:
        """Let the account's owner answer from the Instagram app; the service hears an echo."""
        message = self._engine.world.write(igsid, "human", MessageContent(text=text))
        self._announce(message)
        return message

    def _write(self, igsid: str, content: MessageContent) -> DirectMessage:
        """Send *content* as a person; the empty edit follows if `edit_companion` is on."""
        message = self._engine.world.write(igsid, "person", content)
        self._announce(message)
        if self._engine.behaviour.edit_companion and content.postback is None:
            self._engine.dispatch.send(edit_companion(message))
        return message

    def _announce(self, message: DirectMessage) -> None:
        """Note a new *message* and put its webhook on the way."""
        self._engine.journal.write("message", **message.to_json())
        self._engine.dispatch.send(message_event(message))

    def _announce_change(
        self, message: DirectMessage, event: Callable[[DirectMessage], WebhookEvent]
    ) -> DirectMessage:
        """Note the changed *message* and put the webhook of its *event* on the way."""
        self._engine.journal.write("message.changed", **message.to_json())
        self._engine.dispatch.send(event(message))
        return message

    def _check_is_own(self, mid: str) -> None:
        """Raise `ValueError` if the message *mid* is the account's."""
        if not self._engine.world.message(mid).is_from_person:
            raise ValueError("only an own message can be changed")
