"""A turn as one piece of text, for agents whose protocol has one field for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .agent import Attachment, Turn, UserMessage

# What of a message's context tells a model something, and how it is put to it.
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
    return (
        "\n".join(_lines(turn, carried))
        or "\n".join(f"[{attachment.kind}]" for attachment in attachments_of(turn))
        or _NOTHING_READABLE
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


def _lines(turn: Turn, carried: Callable[[Attachment], bool]) -> Iterator[str]:
    """Yield what each message says, then what came with it."""
    for message in turn.messages:
        if said := _said(message):
            yield said
        yield from (label(it) for it in message.attachments if not carried(it))


def _said(message: UserMessage) -> str:
    """Return the text; a tap's title is its text, and without one its payload has to do."""
    return message.text or ("" if message.attachments else message.payload or "")
