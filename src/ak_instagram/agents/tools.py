"""
Tools: what a model can do besides talk, offered with each question and carried out here.

A tool's arguments are a message in the words of the answer schema. What comes of a call goes
back to the model, which then goes on: with words, with another call, or with nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

from ak_instagram import fast_json
from ak_instagram.meta.outgoing import (
    MAX_BUTTONS,
    MAX_CARD_TEXT,
    MAX_CARDS,
    MAX_QUICK_REPLIES,
    MAX_TITLE,
)

from .agent import Handoff, MessageEnd, Part, Silence, Withdrawn
from .answer_schema import NotInSchema, read_message
from .transport import JsonObject

MAX_REQUESTS = 5
"""The requests that one answer may take; in the last of them no tool is left to call."""

_DONE = "Done: the person will see it. Don't repeat it; say nothing if there is nothing to add."
_TEXT = {"type": "string", "description": "What the person reads above it."}
_URL = {"type": "string", "description": "A public https:// address."}
_TITLE = {"type": "string", "maxLength": MAX_TITLE}
_PAYLOAD = {
    "type": "string",
    "description": "What comes back beside the title when it is tapped. The title if left out.",
}


def _object(required: Sequence[str], **properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: JsonObject, limit: int) -> JsonObject:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": limit}


_BUTTONS = _list(_object(["title"], title=_TITLE, url=_URL, payload=_PAYLOAD), MAX_BUTTONS)
_CARD = _object(
    ["title"],
    title={"type": "string", "maxLength": MAX_CARD_TEXT},
    subtitle={"type": "string", "maxLength": MAX_CARD_TEXT},
    image_url=_URL,
    url=_URL,
    buttons=_BUTTONS,
)


class Tool(NamedTuple):
    """A tool as a model is told of it: *parameters* are a JSON schema."""

    description: str
    parameters: JsonObject


TOOLS: Mapping[str, Tool] = {
    "send_quick_replies": Tool(
        "Send a text with short answers below it that the person can tap instead of typing.",
        _object(
            ["text", "quick_replies"],
            text=_TEXT,
            quick_replies=_list(
                _object(["title"], title=_TITLE, payload=_PAYLOAD), MAX_QUICK_REPLIES
            ),
        ),
    ),
    "send_buttons": Tool(
        "Send a text with buttons below it, each of which opens a web page or sends a payload.",
        _object(["text", "buttons"], text=_TEXT, buttons=_BUTTONS),
    ),
    "send_cards": Tool(
        "Send cards side by side, such as products: each with a title and a picture, a line "
        "below, buttons or a link.",
        _object(["cards"], cards=_list(_CARD, MAX_CARDS)),
    ),
    "send_image": Tool("Send a picture (PNG or JPEG).", _object(["image"], image=_URL)),
    "react": Tool(
        "React to the person's last message with one emoji.",
        _object(["reaction"], reaction={"type": "string", "description": "The emoji."}),
    ),
    "hand_off": Tool(
        "Ask for a person of the staff to take over; you fall silent after this answer. Tell the "
        "person so.",
        _object(
            ["reason"], reason={"type": "string", "description": "Why, in a line for the staff."}
        ),
    ),
    "stay_silent": Tool(
        "Say nothing at all, because no answer is wanted. Call nothing else then.", _object([])
    ),
}
"""All tools by name."""


@dataclass(frozen=True, slots=True)
class Call:
    """A model's call of the tool *name*; *id* is the model's, *arguments* are JSON."""

    id: str
    name: str
    arguments: str


class Reply(NamedTuple):
    """
    A model's answer to one request: the *parts* it says, and the *calls* it makes.

    *items* are what it said as the next request has to repeat it.
    """

    parts: list[Part]
    calls: Sequence[Call] = ()
    items: Sequence[JsonObject] = ()


class Outcome(NamedTuple):
    """A call that was carried out: the *parts* it adds, and what the model is *told* of it."""

    parts: list[Part]
    told: str


Ask = Callable[[Sequence[JsonObject], int], AsyncGenerator[Part | Reply]]


async def converse(
    offered: Collection[str], ask: Ask, result_of: Callable[[Call, str], JsonObject]
) -> AsyncGenerator[Part]:
    """
    Yield the answer of a model that is *offered* tools and may call them, as it comes.

    *ask* makes the request with the items that came of those before, which is the n-th, and gives
    what is said, then the reply, with what it says besides. In the `MAX_REQUESTS`-th the model has
    to answer without tools. *result_of* makes the item by which the model is told what came of a
    call.
    """
    items: list[JsonObject] = []
    is_open = False  # something was said that no end follows yet
    for number in range(1, MAX_REQUESTS + 1):
        reply, is_next = Reply([]), is_open
        async with aclosing(ask(items, number)) as heard:
            async for it in heard:
                reply = it if isinstance(it, Reply) else reply
                for part in it.parts if isinstance(it, Reply) else [it]:
                    if is_next:
                        yield MessageEnd()
                    is_next = False
                    is_open = not isinstance(part, MessageEnd | Withdrawn)
                    yield part
        if not reply.calls:
            return
        items += reply.items
        for call in reply.calls:
            outcome = carry_out(call, offered)
            if outcome.parts and is_open and Silence() not in outcome.parts:
                yield MessageEnd()
            for part in outcome.parts:
                is_open = True
                yield part
            if Silence() in outcome.parts:
                return
            items.append(result_of(call, outcome.told))


def carry_out(call: Call, offered: Collection[str]) -> Outcome:
    """Return what comes of *call*; one that is wrong adds nothing, and the model is told why."""
    if call.name not in offered:
        return Outcome([], f"Error: there is no tool {call.name[:60]!r}.")
    arguments = fast_json.load_object(call.arguments.encode(errors="replace") or b"{}")
    if arguments is None:
        return Outcome([], "Error: the arguments are no JSON object.")
    match call.name:
        case "stay_silent":
            return Outcome([Silence()], _DONE)
        case "hand_off":
            reason = arguments.get("reason")
            return Outcome([Handoff(reason if isinstance(reason, str) else "")], _DONE)
    known = TOOLS[call.name].parameters
    if missing := [name for name in known["required"] if not arguments.get(name)]:
        return Outcome([], f"Error: {missing[0]} is missing.")
    wanted = {name: arguments[name] for name in known["properties"] if name in arguments}
    try:
        return Outcome(read_message(wanted), _DONE)
    except NotInSchema as wrong:
        return Outcome([], f"Error: {wrong}.")
