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

from .markdown import plain
from .split import split


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


def plan_answer(parts: Sequence[Part]) -> Plan:
    """Plan the answer that *parts* make; texts run on until a message ends."""
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
    for draft in drafts:
        answer = plain("".join(draft))
        messages += [{"text": piece} for piece in split(answer.text, whole=answer.verbatim)]
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
