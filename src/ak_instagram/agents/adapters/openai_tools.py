"""
Tools in OpenAI's two spellings: how a request offers them, and how a reply calls them.

What the tools are and do is in `agents.tools`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ak_instagram.agents.agent import Part, Text
from ak_instagram.agents.tools import MAX_REQUESTS, TOOLS, Call, Reply
from ak_instagram.agents.transport import JsonObject

# --- Chat Completions ---------------------------------------------------------


def chat_request(
    body: JsonObject, names: Sequence[str], items: Sequence[JsonObject], number: int
) -> JsonObject:
    """Return *body* with tools and the *items* that came of calls, for the n-th request."""
    tools = [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": TOOLS[name].description,
                "parameters": TOOLS[name].parameters,
            },
        }
        for name in names
    ]
    return {**body, "messages": [*body["messages"], *items], "tools": tools, **_choice(number)}


def chat_reply(message: JsonObject) -> Reply:
    """Return the reply that *message* is, of which the next request repeats the calls."""
    calls = list(_chat_calls(message))
    again = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in calls
    ]
    text = message["content"]
    item = {"role": "assistant", "content": text or None, "tool_calls": again}
    # Blank words beside a call are no message.
    return Reply([Text(text)] if text.strip() or not calls else [], calls, [item])


def _chat_calls(message: JsonObject) -> Iterator[Call]:
    """Yield the calls in *message* that have the right shape."""
    listed = message.get("tool_calls")
    for number, call in enumerate(listed if isinstance(listed, list) else []):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(name := function.get("name"), str):
            identity = str(call.get("id") or f"call_{number}")
            yield Call(identity, name, _json_of(function.get("arguments")))


def add_to_calls(calls: list[JsonObject], piece: JsonObject) -> None:
    """Add a *piece* of a streamed call to *calls*: a new one begins with its name."""
    function = piece.get("function")
    name, arguments = "", ""
    if isinstance(function, dict):
        name, arguments = function.get("name") or "", function.get("arguments") or ""
    at = piece.get("index")
    is_new = not calls or (name and (not isinstance(at, int) or at >= len(calls)))
    if is_new:
        calls.append({"id": piece.get("id"), "function": {"name": name, "arguments": ""}})
    place = at if isinstance(at, int) and 0 <= at < len(calls) else -1
    known = calls[place]["function"]
    calls[place] = {
        **calls[place],
        "function": {**known, "arguments": known["arguments"] + str(arguments)},
    }


# --- Responses ----------------------------------------------------------------


def responses_request(
    body: JsonObject, names: Sequence[str], items: Sequence[JsonObject], number: int
) -> JsonObject:
    """Return *body* with tools and the *items* that came of calls, for the n-th request."""
    tools = [
        {
            "type": "function",
            "name": name,
            "description": TOOLS[name].description,
            "parameters": TOOLS[name].parameters,
            "strict": False,
        }
        for name in names
    ]
    asked = body["input"]
    if items and not isinstance(asked, list):
        asked = [{"type": "message", "role": "user", "content": asked}]
    return {
        **body,
        "input": [*asked, *items] if items else asked,
        "tools": tools,
        **_choice(number),
    }


def responses_reply(parts: list[Part], output: Sequence[object]) -> Reply:
    """
    Return the reply of *parts* and the calls in *output*; the next request repeats both.

    Ids are left out: they name items that the server has kept, which it was asked not to do.
    """
    calls = list(_responses_calls(output))
    words = [
        {"type": "message", "role": "assistant", "content": part.text}
        for part in parts
        if isinstance(part, Text)
    ]
    again = [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in calls
    ]
    return Reply(parts, calls, [*words, *again])


def _responses_calls(output: Sequence[object]) -> Iterator[Call]:
    """Yield the function calls in *output*."""
    for number, item in enumerate(output):
        if isinstance(item, dict) and item.get("type") == "function_call":
            identity = str(item.get("call_id") or f"call_{number}")
            yield Call(identity, str(item.get("name")), _json_of(item.get("arguments")))


# --- both ---------------------------------------------------------------------


def _choice(number: int) -> JsonObject:
    """Return what keeps the model from calling tools in the last request."""
    return {"tool_choice": "none"} if number == MAX_REQUESTS else {}


def _json_of(arguments: object) -> str:
    """Return *arguments* as JSON, which some servers answer as the object that it is."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments or {})
