"""
AG-UI's tools: what an agent that calls functions can do here besides saying something.

Each is a function by name whose arguments are a message of the answer schema, or nearly. An
adapter whose protocol carries tools offers `SCHEMAS`, and a call becomes parts by `parts_of`:
the service carries it out, and the agent gets no result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ak_instagram import fast_json
from ak_instagram.agents.agent import Handoff, Part, Silence
from ak_instagram.agents.answer_schema import NotInSchema, read_message
from ak_instagram.errors import Permanent

Schema: TypeAlias = Mapping[str, Any]


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _list(item: Schema, most: int) -> Schema:
    return {"type": "array", "items": item, "maxItems": most}


_TEXT: Schema = {"type": "string"}
_URL: Schema = {"type": "string", "description": "an https:// address"}
_OPTION = _object(("title",), title={"type": "string", "maxLength": 20}, payload=_TEXT)
_BUTTON = _object(("title",), title={"type": "string", "maxLength": 20}, url=_URL, payload=_TEXT)
_BUTTONS = _list(_BUTTON, 3)
_CARD = _object(
    ("title",),
    title={"type": "string", "maxLength": 80},
    subtitle={"type": "string", "maxLength": 80},
    image_url=_URL,
    url=_URL,
    buttons=_BUTTONS,
)

SCHEMAS: Mapping[str, tuple[str, Schema]] = {
    "send_quick_replies": (
        "Ask the person something that they answer by tapping one of up to 13 choices.",
        _object(("text", "quick_replies"), text=_TEXT, quick_replies=_list(_OPTION, 13)),
    ),
    "send_buttons": (
        "Send a text with up to three buttons that open a page or answer for the person.",
        _object(("text", "buttons"), text=_TEXT, buttons=_BUTTONS),
    ),
    "send_cards": (
        "Show up to ten cards side by side, such as products, each with a picture and buttons.",
        _object(("cards",), cards=_list(_CARD, 10)),
    ),
    "send_image": ("Send a picture.", _object(("image",), image=_URL)),
    "react": (
        "React to the person's last message with one emoji.",
        _object(("reaction",), reaction=_TEXT),
    ),
    "hand_off": (
        "Let a person of the team take over, because you can't or may not help.",
        _object(reason=_TEXT),
    ),
    "stay_silent": ("Say nothing, because no answer is wanted.", _object()),
}
"""Each tool's description for a model, and its parameters as JSON Schema."""


def parts_of(name: str, arguments: str) -> list[Part]:
    """
    Return what a call of the tool *name* does; *arguments* are JSON as the model wrote them.

    Raises `Permanent` for arguments that make no message.
    """
    found = fast_json.load_object(arguments) if arguments.strip() else {}
    if found is None:
        raise Permanent(f"agent called {name} with arguments that are no JSON object")
    try:
        return _READERS.get(name, read_message)(found)
    except NotInSchema as exc:
        raise Permanent(f"agent called {name} with what it does not take: {exc}") from None


def _handoff(arguments: Mapping[str, object]) -> list[Part]:
    reason = arguments.get("reason")
    return [Handoff(reason if isinstance(reason, str) else "")]


_READERS: Mapping[str, Callable[[Mapping[str, object]], list[Part]]] = {
    "hand_off": _handoff,
    "stay_silent": lambda _: [Silence()],
}
