"""
The answer schema: one JSON form, in Instagram's words, for everything that an agent can say.

    {"messages": [{"text": "Which one?", "quick_replies": [{"title": "Red", "payload": "RED"}]},
                  {"text": "Our shop", "buttons": [{"title": "Open", "url": "https://…"}]},
                  {"cards": [{"title": "…", "image_url": "https://…", "buttons": []}]},
                  {"image": "https://…"}, {"reaction": "❤", "mid": "…"},
                  {"text": "That one, yes.", "reply_to": "mid of the message that it quotes"}],
     "silence": true, "handoff": "why a person is needed"}

Types are strict, names that are not known are passed over, and null is as good as absent. What
Instagram allows of it, such as how many buttons, is not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ak_instagram import fast_json

from .agent import (
    Button,
    Buttons,
    Card,
    Cards,
    Handoff,
    Media,
    MessageEnd,
    Option,
    Part,
    QuickReplies,
    Reaction,
    ReplyTo,
    Silence,
    Text,
)

_MEDIA: tuple[Literal["image", "audio", "video", "file"], ...] = ("image", "audio", "video", "file")
CONTENT = frozenset({"text", "cards", "reaction", *_MEDIA})
"""The names of which a message has one."""

_ENVELOPE = frozenset({"messages", "silence", "handoff"})
_BLOCK = re.compile(r"\s*```(?:json)?\s*(\{.*\})\s*```\s*", re.DOTALL | re.IGNORECASE)
_JSON_NAMES = {str: "text", bool: "true or false", list: "a list", dict: "an object"}


class NotInSchema(ValueError):
    """A document is not in the schema; the text says where and why, and quotes nothing of it."""


def read_answer(document: Mapping[str, object]) -> list[Part]:
    """
    Return the parts of an answer *document*; `NotInSchema` if it is none.

    With `silence` there is no other part. A hand-off comes after the messages.
    """
    if not document.keys() & _ENVELOPE:
        raise NotInSchema("has none of messages, silence, handoff")
    answer = _Object(document)
    if answer.flag("silence"):
        return [Silence()]
    messages = answer.items("messages")
    parts = apart(read_message(it, f"messages[{at}]") for at, it in enumerate(messages))
    return parts + answer.handoff()


def document_in(text: str) -> list[Part]:
    """
    Return the parts of the answer document that *text* is, as a whole; none if it is none.

    So a model answers whose output has a structure. It may be in a block of code.
    """
    block = _BLOCK.fullmatch(text)
    document = fast_json.load_object(block[1] if block else text)
    if document is None or not document.keys() & _ENVELOPE:
        return []
    try:
        return read_answer(document)
    except NotInSchema:
        return []


def read_message(message: object, where: str = "") -> list[Part]:
    """
    Return the parts of one *message* of the schema, which may be a bare text; none for null.

    A message with several of text, cards, media and reaction is a message for each.
    Raises `NotInSchema`, in whose text *where* is the message's place.
    """
    if message is None or isinstance(message, str):
        return [Text(message)] if message else []
    if not isinstance(message, Mapping):
        raise NotInSchema(f"{where or 'it'} is {_kind(message)}, neither text nor a message")
    it = _Object(message, where)
    if not CONTENT & message.keys():
        raise NotInSchema(f"{where or 'it'} has none of {', '.join(sorted(CONTENT))}")
    parts = apart([_spoken(it), it.cards(), *it.media(), it.reaction()])
    if options := it.options():
        if not isinstance(parts[-1] if parts else None, Text | Media | Cards):
            raise NotInSchema(f"{it.path('quick_replies')} stands under neither text nor media")
        parts.append(QuickReplies(options))
    return [*it.reply_to(), *parts] if parts else []


def apart(messages: Iterable[list[Part]]) -> list[Part]:
    """Return the parts of *messages* with an end between any two; empty messages are none."""
    parts: list[Part] = []
    for message in filter(None, messages):
        parts += [MessageEnd(), *message] if parts else message
    return parts


def _spoken(message: _Object) -> list[Part]:
    """Return the text of *message*, with its buttons if there are any."""
    text = message.text("text") or ""
    if buttons := message.buttons():
        if not text:
            raise NotInSchema(f"{message.path('buttons')} has no text above")
        return [Buttons(text, buttons)]
    return [Text(text)] if text else []


@dataclass(frozen=True, slots=True)
class _Object:
    """A JSON object whose *values* are taken by name and type; *where* is its place."""

    values: Mapping[str, object]
    where: str = ""

    def path(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    # --- values ---

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise NotInSchema(f"{self.path(name)} is {_kind(value)}, not text")

    def needed(self, name: str) -> str:
        if text := self.text(name):
            return text
        raise NotInSchema(f"{self.path(name)} is missing")

    def url(self, name: str) -> str | None:
        text = self.text(name)
        if not text or text.startswith(("https://", "http://")):
            return text or None
        raise NotInSchema(f"{self.path(name)} is no https:// URL")

    def flag(self, name: str) -> bool:
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise NotInSchema(f"{self.path(name)} is {_kind(value)}, not true or false")

    def items(self, name: str) -> list[object]:
        value = self.values.get(name)
        if value is None or isinstance(value, list):
            return value or []
        raise NotInSchema(f"{self.path(name)} is {_kind(value)}, not a list")

    def objects(self, name: str) -> Iterator[_Object]:
        for at, item in enumerate(self.items(name)):
            where = f"{self.path(name)}[{at}]"
            if not isinstance(item, Mapping):
                raise NotInSchema(f"{where} is {_kind(item)}, not an object")
            yield _Object(item, where)

    # --- parts ---

    def options(self) -> tuple[Option, ...]:
        """Return the quick replies; one without a payload sends its title back."""
        return tuple(
            Option(title := it.needed("title"), it.text("payload") or title)
            for it in self.objects("quick_replies")
        )

    def buttons(self) -> tuple[Button, ...]:
        """Return the buttons; one with neither URL nor payload sends its title back."""
        return tuple(
            Button(
                title := it.needed("title"),
                url := it.url("url"),
                it.text("payload") or (None if url else title),
            )
            for it in self.objects("buttons")
        )

    def cards(self) -> list[Part]:
        """Return the carousel, if there is one."""
        cards = tuple(
            Card(
                it.needed("title"),
                it.text("subtitle"),
                it.url("image_url"),
                it.url("url"),
                it.buttons(),
            )
            for it in self.objects("cards")
        )
        return [Cards(cards)] if cards else []

    def media(self) -> Iterator[list[Part]]:
        """Yield each of picture, sound, film and file as a message."""
        for kind in _MEDIA:
            if url := self.url(kind):
                yield [Media(kind, url)]

    def reaction(self) -> list[Part]:
        """Return the reaction, if there is one."""
        emoji = self.text("reaction")
        return [Reaction(emoji, self.text("mid"))] if emoji else []

    def reply_to(self) -> list[Part]:
        """Return what the message quotes: `true` for the person's last message, or its mid."""
        value = self.values.get("reply_to")
        if value is None or isinstance(value, bool):
            return [ReplyTo()] if value else []
        mid = self.text("reply_to")
        return [ReplyTo(mid)] if mid else []

    def handoff(self) -> list[Part]:
        """Return the wish for a person: `true`, or the reason for it."""
        value = self.values.get("handoff")
        if value is None or isinstance(value, bool):
            return [Handoff()] if value else []
        reason = self.text("handoff")
        return [Handoff(reason)] if reason else []


def _kind(value: object) -> str:
    """Return what JSON calls *value*."""
    return "null" if value is None else _JSON_NAMES.get(type(value), "a number")
