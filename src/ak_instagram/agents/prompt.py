"""Prompt: a turn as one piece of text, for agents whose protocol has one field for it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import filterfalse

from .agent import Attachment, Turn

# Keys of a message's context that tell a model something, and the words for it.
_REFERENCES = {
    "story_url": "reply to story",
    "ad_title": "came from ad",
    "product_id": "about product",
}

_NOTHING_READABLE = "[unsupported message]"


def attachments_of(turn: Turn) -> list[Attachment]:
    """Return the attachments of all messages, in order."""
    return [attachment for message in turn.messages for attachment in message.attachments]


def prompt(turn: Turn, carried: Callable[[Attachment], bool] = lambda _: False) -> str:
    """
    Return the messages as lines of text, never empty.

    An attachment is a labelled line, unless it is *carried* elsewhere in the request;
    then only its label is left, and only when there is no other line.
    """
    lines: list[str] = []
    for message in turn.messages:
        # A tap's title is its text; without one its payload has to do.
        if said := message.text or ("" if message.attachments else message.payload):
            lines.append(said)
        lines += map(label, filterfalse(carried, message.attachments))
    return "\n".join(
        lines or [f"[{it.kind}]" for it in attachments_of(turn)] or [_NOTHING_READABLE]
    )


def label(attachment: Attachment) -> str:
    """Return *attachment* in one line: `[image] https://…`, or `[ephemeral]` without a URL."""
    words = f"[{attachment.kind}] {attachment.title or ''} {attachment.url or ''}"
    return " ".join(words.split())


def references(turn: Turn) -> list[str]:
    """Return a line for each story, ad or product that the messages refer to."""
    return [
        f"[{words}] {message.context[key]}"
        for message in turn.messages
        if message.context
        for key, words in _REFERENCES.items()
        if message.context.get(key)
    ]
