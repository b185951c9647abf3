"""
OpenAI's Responses API, as OpenAI, gateways and model servers speak it.

Each request repeats the history and asks the server to keep nothing: an id that the server
chose, to continue from, would be state between turns, and most gateways forget what it stands
for. A server that takes our name for the conversation may be told it (`agent.continuation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ak_instagram.agents.agent import MessageEnd, Part, Text, Turn, attachments_of, prompt
from ak_instagram.agents.tools import Call, Reply
from ak_instagram.agents.transport import AgentResponse, JsonObject
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

from .openai_chat import OpenAIChat, is_picture
from .openai_tools import responses_reply, responses_request

if TYPE_CHECKING:
    import aiohttp

# Codes of an `error` in a 200 that a later try may cure.
_TRANSIENT = frozenset({"server_error", "rate_limit_exceeded", "vector_store_timeout"})
# With these servers refuse a conversation that they don't know (OpenAI 400, vLLM 404).
_UNKNOWN = frozenset({400, 404, 422})
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


class OpenAIResponses(OpenAIChat):
    """Asks a model with the instructions and the history in each request."""

    path = "/responses"

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        super().__init__(settings, session)
        self._continuation = settings.continuation

    async def complete(self, turn: Turn, shows: bool) -> list[Part]:
        """
        Return each message of the response; none is an empty answer.

        A server that does not know the conversation to continue gets the history at once.
        """
        if self._continuation != "none":
            memory = {self._continuation: turn.session, "store": True}
            alone = replace(turn, history=())
            body = request_body(alone, self._model, self._instructions, shows) | memory
            try:
                return (await self.request(turn, turn.id, body)).parts
            except Permanent as exc:
                if exc.status not in _UNKNOWN:
                    raise
        body = request_body(turn, self._model, self._instructions, shows)
        return await self.respond(turn, body)

    def offer(self, body: JsonObject, items: Sequence[JsonObject], number: int) -> JsonObject:
        """Return *body* with the tools and the *items* that came of calls, for the n-th request."""
        return responses_request(body, self._tools, items, number)

    def result(self, call: Call, told: str) -> JsonObject:
        """Return the item by which the model is *told* what came of *call*."""
        return {"type": "function_call_output", "call_id": call.id, "output": told}

    async def request(self, turn: Turn, key: str, body: JsonObject) -> Reply:
        """Return the reply to one request about *turn*, which *key* tells from others."""
        async with self._endpoint.ask(key, body, turn) as answer:
            if answer.is_stream:
                response = await joined(answer, self._max_answer)
            else:
                response = await answer.json()
            raise_error(answer, response)
            return responses_reply(read_response(response), response["output"])


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


async def joined(answer: AgentResponse, max_answer: int) -> JsonObject:
    """
    Return the response that a stream amounts to, which nobody asked for but some servers send.

    Its last event has the whole response; of a server that leaves `output` out there, the
    items and pieces of text before are it. More than *max_answer* characters are `Permanent`.
    """
    items: list[object] = []
    text = ""
    last: JsonObject = {}
    async for event in answer.frames(lambda event: event.get("type") in _LAST):
        raise_error(answer, {"error": event} if event.get("type") == "error" else event)
        if event.get("type") == "response.output_item.done":
            items.append(event.get("item"))
        text += _delta(event)
        if len(text) > max_answer:
            raise Permanent(f"agent's answer exceeds agent.max_answer ({max_answer})")
        whole = event.get("response")
        last = whole if isinstance(whole, dict) and event.get("type") in _LAST else last
    said = [{"type": "message", "content": [{"type": "output_text", "text": text}]}]
    output = last.get("output") or items or (said if text else [])
    if not last and not output:
        raise Transient("agent's stream ended early")
    return {"status": "completed", **last, "output": output}


def _delta(event: JsonObject) -> str:
    """Return the piece of text in *event*: OpenAI's, or Langflow's, which is shaped as a chunk."""
    delta = event.get("delta")
    if isinstance(delta, dict) and event.get("object") == "response.chunk":
        delta = delta.get("content")
    elif event.get("type") != "response.output_text.delta":
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
    output, status = response.get("output"), response.get("status") or "completed"
    if not isinstance(output, list):
        raise Permanent("agent's answer has no `output`")
    if status not in ("completed", "incomplete"):
        raise Permanent(f"agent's response is {str(status)[:20]}: it has no answer")
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if reason == "content_filter":
        return []
    messages = [it for it in output if isinstance(it, dict) and it.get("type") == "message"]
    final = [it for it in messages if it.get("phase") == "final_answer"]
    spoken = final or [it for it in messages if it.get("phase") != "commentary"]
    texts = list(filter(str.strip, map(_text, spoken)))
    if status == "incomplete" and not texts:
        raise Permanent(f"agent's response ended before its answer: {str(reason)[:40]}")
    parts: list[Part] = []
    for text in texts:
        parts += [MessageEnd(), Text(text)] if parts else [Text(text)]
    return parts


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
