"""Plan: an agent's answer as the messages to send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ak_instagram.agents.agent import (
    Buttons,
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
from ak_instagram.meta.outgoing import Outgoing, is_action, quoting

from .markdown import AS_WRITTEN, SIGNS, plain
from .rich import Refusal, quick_replies, render, words_in
from .split import MAX_TEXT_BYTES, split

# The characters that five milliseconds are enough for; a sign costs as much as many of them.
_AT_ONCE = 160_000
_SIGN_COSTS = 75


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The plan of an answer.

    *messages* are in order, as `meta.outgoing` has them. *refused* tells what can't be sent
    as what it is, and why; its words are among the messages.
    *is_silent*: the agent chose to say nothing, and nothing else is in its answer.
    *handoff* is the reason for which it asks for a person, `None` if it doesn't.
    """

    messages: tuple[Outgoing, ...] = ()
    is_silent: bool = False
    handoff: str | None = None
    refused: tuple[Refusal, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the agent neither said anything nor chose not to."""
        return not (self.messages or self.is_silent or self.refused) and self.handoff is None


def takes_long(parts: Sequence[Part]) -> bool:
    """Return whether `plan_answer` may take more than 5 ms over *parts*: use a thread."""
    texts = [
        part.text if isinstance(part, Text) else words_in(part)
        for part in parts
        if not isinstance(part, MessageEnd)
    ]
    length = sum(map(len, texts))
    if length * (_SIGN_COSTS + 1) <= _AT_ONCE:
        return False
    return (
        length + _SIGN_COSTS * sum(text.count(sign) for text in texts for sign in SIGNS) > _AT_ONCE
    )


def plan_answer(parts: Sequence[Part], mid: str | None = None) -> Plan:
    """
    Plan the answer that *parts* make; texts run on until a message ends.

    *mid* is the person's latest message, which a reaction or a reply is to if it names none. Quick
    replies are under the message that they are in, or that ended just before them.
    Pure, and safe in a thread. The texts have to be such that can be encoded and stored.
    """
    draft: list[str] = []
    drafts: list[list[str] | Buttons | Cards | Media | Reaction] = [draft]
    options: dict[int, tuple[Option, ...]] = {}
    quotes: dict[int, str | None] = {}
    handoff: str | None = None
    chose_silence = False
    for part in parts:
        match part:
            case Text(text):
                draft.append(text)
            case MessageEnd():
                draft = []
                drafts.append(draft)
            case ReplyTo(quoted):
                draft = []
                drafts.append(draft)
                quotes[len(drafts) - 1] = quoted or mid
            case Silence():
                chose_silence = True
            case Handoff(reason):
                handoff = reason if handoff is None else handoff
            case QuickReplies(choices):
                at = _place_for_choices(drafts)
                options[at] = options.get(at, ()) + tuple(choices)
            case Buttons() | Cards() | Media() | Reaction():
                draft = []
                drafts += (part, draft)
    messages: list[Outgoing] = []
    places: dict[int, str | None] = {}  # of messages that quote
    refused: list[Refusal] = []
    for at, drafted in enumerate(drafts):
        if at in quotes:
            places[len(messages)] = quotes[at]
        if not isinstance(drafted, list):
            made = render(drafted, mid)
            messages += made.messages
            refused += made.refused
            continue
        text = "".join(drafted)
        if len(text.encode()) <= MAX_TEXT_BYTES and AS_WRITTEN.fullmatch(text):
            pieces: tuple[str, ...] = (text.strip(),)
        else:
            answer = plain(text)
            pieces = split(answer.text, whole=answer.verbatim)
        if at in options:
            made = quick_replies(list(filter(None, pieces)), options[at])
            messages += made.messages
            refused += made.refused
        else:
            messages += [{"text": piece} for piece in pieces if piece]
    for place, quoted in places.items():
        if quoted and place < len(messages) and not is_action(messages[place]):
            messages[place] = quoting(quoted, messages[place])
    is_silent = chose_silence and not (messages or refused or handoff is not None)
    return Plan(tuple(messages), is_silent, handoff, tuple(refused))


def _place_for_choices(drafts: Sequence[list[str] | Buttons | Cards | Media | Reaction]) -> int:
    """Return which of *drafts* choices that come now are for: the last that has a text, or is."""
    last = len(drafts) - 1
    for at in (last, last - 1):
        draft = drafts[at] if at >= 0 else None
        if isinstance(draft, list) and "".join(draft).strip():
            return at
    return last
