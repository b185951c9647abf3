"""
Approvals: a run that waits for a yes or no is put to the person as choices, and a tap resumes it.

What the server needs to go on stands in the tap's payload, which Meta keeps for us and signs: so
nothing is remembered here, and whichever replica gets the tap can resume. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ak_instagram import fast_json

from .agent import Option, Part, QuickReplies, Text, Turn

APPROVED, DENIED = "approved", "denied"
_PREFIX = "ak-resume:"
_MAX_PAYLOAD = 1000  # characters that Meta takes


@dataclass(frozen=True, slots=True)
class Decision:
    """
    A tap that answers a run: *token* is what the question was asked with, *choice* the tapped one.

    *words* is what else the person wrote in the turn.
    """

    token: Mapping[str, object]
    choice: str
    words: str = ""


def approval(
    question: str, token: Mapping[str, object], choices: Sequence[tuple[str, str]]
) -> list[Part]:
    """
    Return *question* with its *choices*, each a title and what the tap means.

    *token* comes back with the tap. Returns nothing if it has no room in a payload.
    """
    options = []
    for title, choice in choices:
        payload = _PREFIX + fast_json.dump({"choice": choice, "token": token}).decode()
        if len(payload) > _MAX_PAYLOAD:
            return []
        options.append(Option(title, payload))
    return [Text(question), QuickReplies(tuple(options))]


def call_in_words(name: object, arguments: object) -> str:
    """
    Return a tool call as a question: `refund order (euros: 120)?`; empty without a name.

    *arguments* are an object, as a value or as JSON.
    """
    if not isinstance(name, str) or not name:
        return ""
    known = fast_json.load_object(arguments) if isinstance(arguments, str) else arguments
    pairs = known.items() if isinstance(known, dict) else ()
    listed = ", ".join(f"{key}: {value}" for key, value in pairs)
    return f"{name.replace('_', ' ')}{f' ({listed})' if listed else ''}?"


def decision(turn: Turn) -> Decision | None:
    """Return the decision that the person tapped in *turn*, the last one, `None` if none is."""
    found: Decision | None = None
    words: list[str] = []
    for message in turn.messages:
        payload = message.payload or ""
        is_ours = payload.startswith(_PREFIX)
        told = (fast_json.load_object(payload.removeprefix(_PREFIX)) if is_ours else None) or {}
        token, choice = told.get("token"), told.get("choice")
        if isinstance(token, dict) and isinstance(choice, str):
            found = Decision(token, choice)
        elif message.text:
            words.append(message.text)
    return None if found is None else Decision(found.token, found.choice, "\n".join(words))
