"""Plan: an agent's answer as the messages to send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ak_instagram.agents.agent import (
    Button,
    Buttons,
    Cards,
    Handoff,
    Media,
    MessageEnd,
    Part,
    QuickReplies,
    Reaction,
    Silence,
    Text,
)

from .markdown import AS_WRITTEN, SIGNS, plain
from .split import MAX_TEXT_BYTES, split

# The characters that five milliseconds are enough for; a sign costs as much as many of them.
_AT_ONCE = 160_000
_SIGN_COSTS = 75


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The plan of an answer.

    *messages* are the Graph API's `message` objects in order. *refused* names the
    parts that can't be sent as what they are; their texts are among the messages.
    *is_silent*: the agent chose to say nothing, and nothing else is in its answer.
    *handoff* is the reason for which it asks for a person, `None` if it doesn't.
    """

    messages: tuple[Mapping[str, object], ...] = ()
    is_silent: bool = False
    handoff: str | None = None
    refused: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the agent neither said anything nor chose not to."""
        return not (self.messages or self.is_silent or self.refused) and self.handoff is None


def takes_long(parts: Sequence[Part]) -> bool:
    """Return whether `plan_answer` may take more than 5 ms over *parts*: use a thread."""
    texts = [part.text for part in parts if isinstance(part, Text)]
    length = sum(map(len, texts))
    if length * (_SIGN_COSTS + 1) <= _AT_ONCE:
        return False
    return (
        length + _SIGN_COSTS * sum(text.count(sign) for text in texts for sign in SIGNS) > _AT_ONCE
    )


def plan_answer(parts: Sequence[Part]) -> Plan:
    """
    Plan the answer that *parts* make; texts run on until a message ends.

    Pure, and safe in a thread. The texts have to be such that can be encoded and stored.
    """
    drafts: list[list[str]] = [[]]
    refused: list[str] = []
    handoff: str | None = None
    chose_silence = False
    for part in parts:
        match part:
            case Text(text):
                drafts[-1].append(text)
            case MessageEnd():
                drafts.append([])
            case Silence():
                chose_silence = True
            case Handoff(reason):
                handoff = reason if handoff is None else handoff
            case QuickReplies() | Buttons() | Cards() | Media() | Reaction():
                refused.append(type(part).__name__)
                if text := _fallback_text(part):
                    drafts += ([text], [])
    messages: list[dict[str, object]] = []
    for text in map("".join, drafts):
        if len(text.encode()) <= MAX_TEXT_BYTES and AS_WRITTEN.fullmatch(text):
            pieces: tuple[str, ...] = (text.strip(),)
        else:
            answer = plain(text)
            pieces = split(answer.text, whole=answer.verbatim)
        messages += [{"text": piece} for piece in pieces if piece]
    is_silent = chose_silence and not (messages or refused or handoff is not None)
    return Plan(tuple(messages), is_silent, handoff, tuple(refused))


def _fallback_text(part: Part) -> str:
    """Return the words and links of a part that can't be sent as what it is."""
    match part:
        case Buttons(text, buttons):
            return "\n".join([text, *_links(buttons)])
        case Cards(cards):
            return "\n\n".join(
                "\n".join([*filter(None, (it.title, it.subtitle, it.url)), *_links(it.buttons)])
                for it in cards
            )
    return ""


def _links(buttons: Iterable[Button]) -> list[str]:
    """Return a line for each of *buttons* that opens a URL."""
    return [f"{button.title}: {button.url}" for button in buttons if button.url]
