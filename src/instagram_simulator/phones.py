"""What people do on their phones, and what the service hears of it."""

from __future__ import annotations

from collections.abc import Callable

from .core import Core
from .envelope import (
    Event,
    edit_companion,
    edit_event,
    message_event,
    reaction_event,
    read_event,
    referral_event,
    unsend_event,
)
from .shape import message_json
from .values import Content, Json, Message


class Phones:
    """
    Every person's phone, and the account owner's.

    Each act changes the world at once and puts its webhook on the way. An id that
    nobody or nothing has raises `Unknown`.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def say(self, igsid: str, text: str, *, reply_to: str | None = None) -> Message:
        """Send *text*, perhaps as a reply to the message *reply_to*."""
        quoted: Json | None = None if reply_to is None else {"mid": reply_to}
        return self._write(igsid, Content(text=text, reply_to=quoted))

    def attach(self, igsid: str, kind: str, url: str, *, text: str | None = None) -> Message:
        """Send an attachment: an `image`, `video`, `audio`, `share`, …"""
        attachment: Json = {"type": kind, "payload": {"url": url}}
        return self._write(igsid, Content(text=text, attachments=(attachment,)))

    def tap_quick_reply(self, igsid: str, title: str, payload: str) -> Message:
        """Tap a chip under a message of the account."""
        return self._write(igsid, Content(text=title, quick_reply=payload))

    def tap_button(self, igsid: str, title: str, payload: str) -> Message:
        """Tap a button, an ice breaker or a menu entry: a postback."""
        return self._write(igsid, Content(text=title, postback=payload))

    def reply_to_story(self, igsid: str, text: str, story_url: str) -> Message:
        """Answer a story of the account."""
        story: Json = {"story": {"id": "17990000000000000", "url": story_url}}
        return self._write(igsid, Content(text=text, reply_to=story))

    def mention_in_story(self, igsid: str, url: str) -> Message:
        """Mention the account in a story."""
        return self.attach(igsid, "story_mention", url)

    def come_from_ad(self, igsid: str, text: str, ref: str, ad_id: str) -> Message:
        """Write after tapping an advertisement."""
        referral: Json = {"ref": ref, "ad_id": ad_id, "source": "ADS", "type": "OPEN_THREAD"}
        return self._write(igsid, Content(text=text, referral=referral))

    def open_link(self, igsid: str, ref: str) -> None:
        """Come back by a link `ig.me/m/…?ref=` without writing."""
        person = self._core.world.conversation(igsid).person
        now = self._core.world.clock.now()
        self._core.dispatch.send(referral_event(person.account_id, igsid, ref, now))

    def unsend(self, mid: str) -> Message:
        """Take a message back; only an own message can be."""
        self._check_own(mid)
        return self._change(self._core.world.unsend(mid), unsend_event)

    def edit(self, mid: str, text: str) -> Message:
        """Change the text of an own message."""
        self._check_own(mid)
        return self._change(self._core.world.edit(mid, text), edit_event)

    def react(self, mid: str, emoji: str | None) -> Message:
        """React to a message of the account, or take the reaction off (`None`)."""
        message = self._core.world.react(mid, "person", emoji)
        now = self._core.world.clock.now()
        return self._change(message, lambda each: reaction_event(each, emoji, now))

    def look(self, igsid: str) -> Message | None:
        """Look at the conversation; return the newest message that is seen by that, if any is."""
        core, conversation = self._core, self._core.world.conversation(igsid)
        unseen = conversation.mids[conversation.seen_by_person :]
        conversation.seen_by_person = len(conversation.mids)
        theirs = [mid for mid in unseen if not core.world.message(mid).is_from_person]
        if not theirs:
            return None
        message = core.world.message(theirs[-1])
        core.journal.write("seen", igsid=igsid, by="person", count=conversation.seen_by_person)
        core.dispatch.send(read_event(message, core.world.clock.now()))
        return message

    def answer_by_hand(self, igsid: str, text: str) -> Message:
        """Let the account's owner answer from the Instagram app; the service hears an echo."""
        message = self._core.world.write(igsid, "human", Content(text=text))
        self._announce(message)
        return message

    def _write(self, igsid: str, content: Content) -> Message:
        message = self._core.world.write(igsid, "person", content)
        self._announce(message)
        if self._core.switches.edit_companion and content.postback is None:
            self._core.dispatch.send(edit_companion(message))
        return message

    def _announce(self, message: Message) -> None:
        self._core.journal.write("message", **message_json(message))
        self._core.dispatch.send(message_event(message))

    def _check_own(self, mid: str) -> None:
        if not self._core.world.message(mid).is_from_person:
            raise ValueError("only an own message can be changed")

    def _change(self, message: Message, event: Callable[[Message], Event]) -> Message:
        self._core.journal.write("message.changed", **message_json(message))
        self._core.dispatch.send(event(message))
        return message
