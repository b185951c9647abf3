"""
OpenAI's Responses API, as OpenAI, gateways and model servers speak it.

Each request repeats the history and asks the server to keep nothing: an id that the server
chose, to continue from, would be state between turns, and most gateways forget what it stands
for. A server that takes our name for the conversation may be told it (`agent.continuation`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from ak_instagram.agents.agent import (
    MessageEnd,
    Part,
    Text,
    Turn,
    Withdrawn,
    attachments_of,
    prompt,
)
from ak_instagram.agents.tools import Call, Reply
from ak_instagram.agents.transport import AgentResponse, JsonObject
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

from .a2a_answer import objects
from .openai_chat import OpenAIChat, is_picture
from .openai_tools import responses_reply, responses_request

if TYPE_CHECKING:
    import aiohttp

# Codes of an `error` in a 200 that a later try may cure.
_TRANSIENT = frozenset({"server_error", "rate_limit_exceeded", "vector_store_timeout"})
# With these servers refuse a conversation that they don't know (OpenAI 400, vLLM 404).
_UNKNOWN = frozenset({400, 404, 422})
_DELTAS = frozenset({"response.output_text.delta", "response.refusal.delta"})
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


class OpenAIResponses(OpenAIChat):
    """Asks a model with the instructions and the history in each request."""

    path = "/responses"

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        super().__init__(settings, session)
        self._continuation = settings.continuation

    async def attempt(self, turn: Turn, shows: bool, streams: bool) -> AsyncGenerator[Part]:
        """
        Yield the messages of the response, as a stream or whole; none is an empty answer.

        A server that does not know the conversation to continue gets the history at once.
        """
        asking = {"stream": streams}
        if self._continuation != "none":
            memory = {self._continuation: turn.session, "store": True}
            alone = replace(turn, history=())
            body = request_body(alone, self._model, self._instructions, shows) | memory | asking
            has_begun = False
            try:
                async with aclosing(self.request(turn, body)) as heard:
                    async for it in heard:
                        has_begun = True
                        for part in it.parts if isinstance(it, Reply) else [it]:
                            yield part
            except Permanent as exc:
                if has_begun or exc.status not in _UNKNOWN:
                    raise
            else:
                return
        body = request_body(turn, self._model, self._instructions, shows) | asking
        async with aclosing(self.respond(turn, body)) as parts:
            async for part in parts:
                yield part

    def offer(self, body: JsonObject, items: Sequence[JsonObject], number: int) -> JsonObject:
        """Return *body* with the tools and the *items* that came of calls, for the n-th request."""
        return responses_request(body, self._tools, items, number)

    def result(self, call: Call, told: str) -> JsonObject:
        """Return the item by which the model is *told* what came of *call*."""
        return {"type": "function_call_output", "call_id": call.id, "output": told}

    def read(self, answer: AgentResponse, response: JsonObject) -> Reply:
        """Return the reply that a whole *answer* is."""
        raise_error(answer, response)
        return responses_reply(read_response(response), response["output"])

    def follow(self, answer: AgentResponse) -> AsyncIterator[Part | Reply]:
        """Yield what a stream says as it comes, then the reply with its calls."""
        return read_stream(answer)


def request_body(turn: Turn, model: str, instructions: str | None, shows: bool) -> JsonObject:
    """
    Return the request for *turn*; `user` tells people apart without naming them.

    A turn of text without a history is a plain string, which every server takes.
    Unless it *shows* pictures they are lines of text.
    """
    carried = is_picture if shows else lambda _: False
    text = prompt(turn, carried)
    pictures = [
        {"type": "input_image", "image_url": attachment.source, "detail": "auto"}
        for attachment in filter(carried, attachments_of(turn))
    ]
    content = [{"type": "input_text", "text": text}, *pictures] if pictures else text
    past = [{"type": "message", "role": it.role, "content": it.text} for it in turn.history]
    items = [*past, {"type": "message", "role": "user", "content": content}]
    return {
        "model": model,
        **({"instructions": instructions} if instructions else {}),
        "input": items if past or pictures else text,
        "user": turn.session,
        "store": False,
        "stream": False,
    }


async def read_stream(answer: AgentResponse) -> AsyncIterator[Part | Reply]:
    """
    Yield the messages of a stream piece by piece, then the reply if it calls tools.

    Commentary is left out, and what was said before a final answer is withdrawn. A server that
    tells no pieces has its messages in the last event, or in the items before it.
    """
    phases: dict[object, object] = {}  # by the messages' ids
    items: list[object] = []
    last: JsonObject = {}
    speaks = is_open = is_final = False
    async for event in answer.frames(lambda event: event.get("type") in _LAST):
        raise_error(answer, {"error": event} if event.get("type") == "error" else event)
        item, kind = event.get("item"), event.get("type")
        if isinstance(item, dict) and kind == "response.output_item.added":
            phases[item.get("id")] = item.get("phase")
            if is_open:  # whatever comes next: the message has ended
                is_open = False
                yield MessageEnd()
        elif kind == "response.output_item.done":
            items.append(item)
        whole = event.get("response")
        last = whole if isinstance(whole, dict) and kind in _LAST else last
        phase = phases.get(event.get("item_id"))
        if not (text := _delta(event)) or phase == "commentary":
            continue
        if phase == "final_answer" and not is_final:
            is_final = True
            yield Withdrawn()
        if is_final and phase != "final_answer":
            continue
        speaks = is_open = True
        yield Text(text)
    raise_error(answer, last)
    if not (speaks or last or items):
        raise Transient("agent's stream ended early")
    output = last.get("output") or items
    if speaks and stop_reason(last) == "content_filter":
        yield Withdrawn()
    elif not speaks or any(it.get("type") == "function_call" for it in objects(output)):
        reply = responses_reply(
            read_response({"status": "completed", **last, "output": output}), output
        )
        yield reply._replace(parts=[]) if speaks else reply


def _delta(event: JsonObject) -> str:
    """Return the piece of text in *event*: OpenAI's, or Langflow's, which is shaped as a chunk."""
    delta = event.get("delta")
    if isinstance(delta, dict) and event.get("object") == "response.chunk":
        delta = delta.get("content")
    elif event.get("type") not in _DELTAS:
        return ""
    return delta if isinstance(delta, str) else ""


def raise_error(answer: AgentResponse, response: JsonObject) -> None:
    """Raise what an `error` in *response* means, if there is one."""
    error = response.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    kind = Transient if code in _TRANSIENT else Permanent
    answer.raise_error(response, kind, "agent answered with an error")


def read_response(response: JsonObject) -> list[Part]:
    """
    Return the messages of *response*, or raise why there is none to be had.

    A message that is commentary on the way to the answer is left out, and so is any other
    beside a final answer. An answer that was cut is what there is of it, as long as there
    is something; one that a content filter stopped is empty.
    """
    output = response.get("output")
    if not isinstance(output, list):
        raise Permanent("agent's answer has no `output`")
    reason = stop_reason(response)
    if reason == "content_filter":
        return []
    messages = [it for it in output if isinstance(it, dict) and it.get("type") == "message"]
    final = [it for it in messages if it.get("phase") == "final_answer"]
    spoken = final or [it for it in messages if it.get("phase") != "commentary"]
    texts = list(filter(str.strip, map(_text, spoken)))
    if response.get("status") == "incomplete" and not texts:
        raise Permanent(f"agent's response ended before its answer: {str(reason)[:40]}")
    parts: list[Part] = []
    for text in texts:
        parts += [MessageEnd(), Text(text)] if parts else [Text(text)]
    return parts


def stop_reason(response: JsonObject) -> object:
    """Return why *response* is incomplete, `None` if it is not; raise if it has no answer."""
    status = response.get("status") or "completed"
    if status not in ("completed", "incomplete"):
        raise Permanent(f"agent's response is {str(status)[:20]}: it has no answer")
    details = response.get("incomplete_details")
    return details.get("reason") if isinstance(details, dict) else None


def _text(message: JsonObject) -> str:
    """Return the text in *message*: a refusal too, which the model words for the person."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(_texts(content))
    if content is not None and not isinstance(content, str):
        raise Permanent(f"agent's message has a {type(content).__name__} as `content`, not text")
    return content or ""


def _texts(content: list[object]) -> Iterator[str]:
    for part in content:
        if not isinstance(part, dict) or part.get("type") not in ("output_text", "refusal"):
            continue
        text = part.get("text" if part["type"] == "output_text" else "refusal")
        if text is not None and not isinstance(text, str):
            raise Permanent(f"agent's message has a {type(text).__name__} as its text")
        yield text or ""
