"""
The contract with an agent: a turn goes in, a stream of parts comes out.

Everything an adapter must know of this service is in this module.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from itertools import filterfalse
from operator import attrgetter
from typing import Literal, Protocol, TypeAlias, runtime_checkable
from urllib.parse import urlsplit

from ak_instagram.meta.content import Attachment as Attachment

# Parts of the contract.
from ak_instagram.meta.graph.contact_profile import ContactProfile as ContactProfile

# --- what goes in -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UserMessage:
    """
    One message or tap of the person's.

    *at* is Meta's timestamp in UTC milliseconds. *attachments* are what it has besides
    text; their *url* is Meta's signed link, which expires. *payload* is that of a tapped
    quick reply or postback button. *context* says what the message refers to, in
    Meta's words: keys among `reply_to_mid`, `reply_to_text` (what was said there, if that is
    known), `story_id`, `story_url`, `ref`, `referral_source`, `referral_type`, `ad_id`,
    `ad_title`, `product_id`, and of a public comment on a post, whose answer is private,
    `comment_id` and `comment_media_id`.
    """

    mid: str
    at: int
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    payload: str | None = None
    context: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of the earlier conversation, for agents that keep no memory."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Callback:
    """
    What became of an earlier request about the same turn, whose answer is posted to the service.

    *body* is what was posted; without one nobody has been asked yet, unless it *is_overdue*.
    """

    body: str | None = field(default=None, repr=False)
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """
    All that a person said since the last answer.

    *id* is the same whenever the same turn is tried again: the idempotency key.
    *session* names the conversation without giving the person's id away.
    *account* is the professional account's id, *contact* the person's IGSID.
    *agent* is the name of the agent to ask (`instagram.agent`), if any.
    *locale* is always `None` in this version. *history* is empty unless the adapter
    asks for it (`Agent.history`). *profile* is what Meta tells about the person, `None` unless
    `instagram.profile` is set and Meta has told. *callback* is for an agent that is `Deferring`.
    """

    id: str
    session: str
    account: str
    contact: str
    messages: tuple[UserMessage, ...]
    agent: str | None = None
    locale: str | None = None
    history: tuple[HistoryLine, ...] = ()
    callback: Callback | None = None
    profile: ContactProfile | None = None


# --- a turn as one piece of text, for protocols that have one field for it -------

# Keys of a message's context that tell a model something, and the words for it.
_REFERENCES = {
    "reply_to_text": "reply to",
    "comment_media_id": "public comment on",
    "story_url": "reply to story",
    "ad_title": "came from ad",
    "product_id": "about product",
}
# … and of one that came from an ad without a title, or by a link.
_ORIGINS = {"ad_id": "came from ad", "ref": "came from link"}
_UNKNOWN_QUOTE = "[reply to an earlier message]"

_DAY = 86_400_000  # milliseconds
_NOTHING_READABLE = "[unsupported message]"


def attachments_of(turn: Turn) -> list[Attachment]:
    """Return the attachments of all messages, in order."""
    return [attachment for message in turn.messages for attachment in message.attachments]


def prompt(turn: Turn, carried: Callable[[Attachment], bool] = lambda _: False) -> str:
    """
    Return the messages as lines of text, never empty; first who wrote, if that is known.

    What a message refers to is a line before it. An attachment is a labelled line, unless it
    is *carried* elsewhere in the request; then only its label is left, and only when there
    is nothing else. Lines tell which messages came a day or more before the last one.
    """
    lines: list[str] = [turn.profile.line] if turn.profile and turn.profile.line else []
    has_said = False
    latest = max(map(attrgetter("at"), turn.messages), default=0)
    earlier = 0  # days
    for message in turn.messages:
        if (days := (latest - message.at) // _DAY) != earlier:
            earlier = days
            lines.append(f"[{days} day{'s' * (days > 1)} earlier]" if days else "[now]")
        lines += references(message)
        # A tap's title is its text; without one its payload has to do.
        if said := message.text or ("" if message.attachments else message.payload):
            lines.append(said)
        labels = [it.label for it in filterfalse(carried, message.attachments)]
        lines += labels
        has_said = has_said or bool(said or labels)
    if not has_said:
        lines += [f"[{it.kind}]" for it in attachments_of(turn)] or [_NOTHING_READABLE]
    return "\n".join(lines)


def references(message: UserMessage) -> list[str]:
    """Return a line for each message, story, ad, link or product that *message* refers to."""
    context = message.context or {}
    words = _REFERENCES if context.get("ad_title") else _REFERENCES | _ORIGINS
    lines = [f"[{word}] {context[key]}" for key, word in words.items() if context.get(key)]
    if context.get("reply_to_mid") and not context.get("reply_to_text"):
        lines.append(_UNKNOWN_QUOTE)
    return [" ".join(line.split()) for line in lines]


# --- what comes out ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """Some text, whole or a piece of a stream; Markdown is allowed."""

    text: str


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """The message so far is complete; what follows is another Instagram message."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """All that was said so far is taken back, as far as it has not gone out."""


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: *title* is shown, *payload* comes back when it is tapped."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class QuickReplies:
    """Choices shown under the message that they follow."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Button:
    """A button that opens *url* or, without one, sends *payload* back."""

    title: str
    url: str | None = None
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class Buttons:
    """A text with one to three buttons."""

    text: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One element of a carousel."""

    title: str
    subtitle: str | None = None
    image_url: str | None = None
    url: str | None = None
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Cards:
    """A carousel."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound, film or PDF that Meta fetches from *url*."""

    kind: Literal["image", "audio", "video", "file"]
    url: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """React to the person's message *mid* (the last one when `None`)."""

    emoji: str
    mid: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """What follows quotes the person's message *mid* (the last one when `None`), as a reply."""

    mid: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """The agent chose to say nothing."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """The agent asks for a person to take over."""

    reason: str = ""


Part: TypeAlias = (
    Text
    | MessageEnd
    | Withdrawn
    | QuickReplies
    | Buttons
    | Cards
    | Media
    | Reaction
    | ReplyTo
    | Silence
    | Handoff
)


@dataclass(frozen=True, slots=True)
class Needs:
    """
    The settings that an adapter requires; known without making it.

    *always*, *at_default* and *elsewhere* pair a key with the advice for when it is
    missing. *default_url* stands for an `agent.url` that is not set; *at_default* is
    required while the agent's host is that one's, *elsewhere* when it is another.
    *key_variable* is an environment variable that may stand for `agent.api_key`, and
    *url_variable* one for `agent.url`.
    """

    always: tuple[tuple[str, str], ...] = ()
    default_url: str | None = None
    at_default: tuple[tuple[str, str], ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()
    key_variable: str | None = None
    url_variable: str | None = None

    def is_default(self, url: str | None) -> bool:
        """Return whether *url* leads to the same host as the default, as `None` does."""
        default = urlsplit(self.default_url or "").hostname
        return urlsplit(url or self.default_url or "").hostname == default

    def required(self, url: str | None) -> tuple[tuple[str, str], ...]:
        """Return the keys required when `agent.url` is *url*, each with its advice."""
        return self.always + (self.at_default if self.is_default(url) else self.elsewhere)


class Agent(Protocol):
    """
    Anything that can answer a turn.

    `answer` raises `errors.Transient` for what a later try may cure (connection,
    time-out, 429, 5xx; with the server's `Retry-After`), and `errors.Permanent`
    for what it won't. Anything else that it raises is a bug, and treated as
    transient. It keeps no state between turns.
    """

    @property
    def history(self) -> int:
        """How many past utterances it wants in `Turn.history`; 0 for none."""
        ...

    def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """
        Yield the answer's parts in order, each as soon as it is known.

        No part at all, or only blank text, is an empty answer: the service stays
        silent and logs it. A last `MessageEnd` may be left out.
        """
        ...


@runtime_checkable
class Deferring(Protocol):
    """
    An agent whose answer may be posted to the service, hours after it was asked.

    Its `answer` raises `errors.Deferred` once the request was taken. When something was posted to
    the turn's callback, `answer` is called anew, with that in `Turn.callback`.
    """

    def check_callback(self, body: str) -> None:
        """Raise `errors.Permanent` if *body* can't be an answer, so that it is refused at once."""
        ...
