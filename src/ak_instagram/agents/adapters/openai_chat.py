"""OpenAI's Chat Completions, as most gateways and model servers speak it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from ak_instagram.agents.agent import Attachment, Needs, Part, Turn, attachments_of, prompt
from ak_instagram.agents.failures import (
    is_too_long,
    may_be_about_length,
    may_be_about_pictures,
    may_be_about_tools,
)
from ak_instagram.agents.history import newer_half
from ak_instagram.agents.tools import Call, Reply, converse
from ak_instagram.agents.transport import (
    JSON_OR_EVENTS,
    AgentResponse,
    Endpoint,
    JsonObject,
    agent_url,
)
from ak_instagram.errors import Permanent, SettingsError, Transient
from ak_instagram.settings.model import AgentSettings

from .openai_tools import add_to_calls, chat_reply, chat_request

if TYPE_CHECKING:
    import aiohttp

log = structlog.get_logger()

DEFAULT_MODEL = "gpt-5.4-mini"

# The types of content parts that are for the person to read.
_TEXT_PARTS = ("text", "output_text")


class OpenAIChat:
    """Asks a model that keeps no memory: each request repeats the instructions and the history."""

    path = "/chat/completions"
    needs = Needs(
        default_url="https://api.openai.com/v1",
        at_default=(("agent.api_key", "set it, or OPENAI_API_KEY"),),
        elsewhere=(("agent.model", "set one that the server has"),),  # it can't be guessed
        key_variable="OPENAI_API_KEY",
        url_variable="OPENAI_BASE_URL",
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        url = agent_url(settings, self.path, default=self.needs.default_url)
        if not settings.model and not self.needs.is_default(url):
            problem = "the server at agent.url has to be told which; set AK_AGENT__MODEL"
            raise SettingsError([f"agent.model: {problem}"])
        self.history = settings.history
        self._endpoint = Endpoint(settings, session, url, asks_model=True, accept=JSON_OR_EVENTS)
        self._model = settings.model or DEFAULT_MODEL
        self._instructions = settings.instructions
        self._max_answer = settings.max_answer
        self._tools = settings.tools

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """
        Yield the model's text, empty if it has none to say.

        A request that is refused for what need not be in it is made once more without that.
        """
        asked, shows = turn, any(map(is_picture, attachments_of(turn)))
        while True:
            try:
                parts = await self.complete(asked, shows)
            except (Permanent, Transient) as exc:
                if (smaller := reduced(turn, asked, shows, exc)) is None:
                    raise
                had_pictures = shows
                asked, shows = smaller
                left_out = "history" if shows == had_pictures else "pictures"
                log.warning("agent.asked_for_less", left_out=left_out, reason=str(exc))
            else:
                for part in parts:
                    yield part
                return

    async def complete(self, turn: Turn, shows: bool) -> list[Part]:
        """Return the answer to *turn*, with its pictures or their links."""
        body = request_body(turn, self._model, self._instructions, shows)
        return await self.respond(turn, body)

    async def respond(self, turn: Turn, body: JsonObject) -> list[Part]:
        """
        Return the answer to *turn*: of one request, or of as many as calls of tools take.

        A server that refuses tools is asked without them.
        """
        if self._tools:
            try:
                return await converse(self._tools, partial(self.ask, turn, body), self.result)
            except (Permanent, Transient) as exc:
                if not may_be_about_tools(exc):
                    raise
                log.warning("agent.asked_for_less", left_out="tools", reason=str(exc))
        return (await self.request(turn, turn.id, body)).parts

    async def ask(
        self, turn: Turn, body: JsonObject, items: Sequence[JsonObject], number: int
    ) -> Reply:
        """Return the reply to the n-th request about *turn*, which repeats *items*."""
        key = turn.id if number == 1 else f"{turn.id}-{number}"
        return await self.request(turn, key, self.offer(body, items, number))

    def offer(self, body: JsonObject, items: Sequence[JsonObject], number: int) -> JsonObject:
        """Return *body* with the tools and the *items* that came of calls, for the n-th request."""
        return chat_request(body, self._tools, items, number)

    def result(self, call: Call, told: str) -> JsonObject:
        """Return the message by which the model is *told* what came of *call*."""
        return {"role": "tool", "tool_call_id": call.id, "content": told}

    async def request(self, turn: Turn, key: str, body: JsonObject) -> Reply:
        """Return the reply to one request about *turn*, which *key* tells from others."""
        async with self._endpoint.ask(key, body, turn) as answer:
            if answer.is_stream:
                return chat_reply(await joined(answer, self._max_answer))
            completion = await answer.json()
            answer.raise_error(completion, Permanent, "agent answered with an error")
            return chat_reply(read_completion(completion))


def reduced(
    turn: Turn, asked: Turn, shows: bool, exc: Permanent | Transient
) -> tuple[Turn, bool] | None:
    """
    Return *asked* without what the server may have refused by *exc*, and whether pictures show.

    *asked* is *turn*, or what this function made of it. Pictures go first, unless the server says
    that the request is too long; then the older half of the history, then the rest. `None`
    if *exc* is not about any of these.
    """
    is_long = is_too_long(str(exc)) and exc.status is not None
    if shows and may_be_about_pictures(exc) and not (is_long and asked.history):
        return asked, False
    if asked.history and (is_long or may_be_about_length(exc)):
        is_whole = asked.history == turn.history
        history = newer_half(turn.history) if is_whole else ()
        return replace(asked, history=history), shows
    return None


def request_body(
    turn: Turn, model: str, instructions: str | None, shows: bool = True
) -> JsonObject:
    """
    Return the completion request for *turn*; `user` tells people apart without naming them.

    The turn is plain text, which every server takes, or a list of parts if it *shows*
    pictures; otherwise a picture is a line like other attachments.
    """
    carried = is_picture if shows else lambda _: False
    text = prompt(turn, carried)
    pictures = [
        {"type": "image_url", "image_url": {"url": attachment.source}}
        for attachment in attachments_of(turn)
        if carried(attachment)
    ]
    content = [{"type": "text", "text": text}, *pictures] if pictures else text
    system = [{"role": "system", "content": instructions}] if instructions else []
    past = [{"role": line.role, "content": line.text} for line in turn.history]
    return {
        "model": model,
        "messages": [*system, *past, {"role": "user", "content": content}],
        "user": turn.session,
        "stream": False,
    }


def is_picture(attachment: Attachment) -> bool:
    """Return whether *attachment* can be an `image_url` part."""
    return attachment.kind == "image" and attachment.source is not None


def read_completion(completion: JsonObject) -> JsonObject:
    """Return the message of a whole answer, its `content` a text, or raise why there is none."""
    choices = _choices(completion)
    if not choices or not isinstance(choices[0].get("message"), dict):
        raise Permanent("agent's answer has no message in `choices`")
    message: JsonObject = choices[0]["message"]
    calls = [] if _is_filtered(choices[0]) else message.get("tool_calls")
    return {"content": _text(choices[0], "message"), "tool_calls": calls}


async def joined(answer: AgentResponse, max_answer: int) -> JsonObject:
    """
    Return the message of a stream, which nobody asked for but some servers send.

    More than *max_answer* characters are `Permanent`.
    """
    message: JsonObject = {"content": "", "tool_calls": []}
    async for chunk in answer.frames(is_last):
        answer.raise_error(chunk, Transient, "agent's stream reported an error")
        message = extended(message, chunk)
        length = len(message["content"]) + sum(
            len(it["function"]["arguments"]) for it in message["tool_calls"]
        )
        if length > max_answer:
            raise Permanent(f"agent's answer exceeds agent.max_answer ({max_answer})")
    return message


def extended(message: JsonObject, chunk: JsonObject) -> JsonObject:
    """Return *message* with what *chunk* adds, or nothing if the content filter cut in."""
    choices = _choices(chunk)
    if not choices:  # a chunk of usage figures
        return message
    if _is_filtered(choices[0]):
        return {"content": "", "tool_calls": []}
    delta = choices[0].get("delta")
    pieces = delta.get("tool_calls") if isinstance(delta, dict) else None
    calls = list(message["tool_calls"])
    for piece in pieces if isinstance(pieces, list) else []:
        add_to_calls(calls, piece if isinstance(piece, dict) else {})
    return {"content": message["content"] + _text(choices[0], "delta"), "tool_calls": calls}


def is_last(chunk: JsonObject) -> bool:
    """Return whether the stream's text ends with *chunk*."""
    return any(choice.get("finish_reason") for choice in _choices(chunk))


def _choices(answer: JsonObject) -> list[JsonObject]:
    """Return the choices that have the right shape."""
    choices = answer.get("choices")
    return [it for it in choices if isinstance(it, dict)] if isinstance(choices, list) else []


def _text(choice: JsonObject, holder: str) -> str:
    """Return the text in *choice*: empty for a tool call, or if the content filter cut in."""
    message = choice.get(holder)
    content = message.get("content") if isinstance(message, dict) else None
    if content is None or _is_filtered(choice):
        return ""
    if isinstance(content, list) and all(isinstance(part, (str, dict)) for part in content):
        return "".join(map(_part_text, content))
    if not isinstance(content, str):
        raise Permanent(f"agent's message has a {type(content).__name__} as `content`, not text")
    return content


def _part_text(part: str | JsonObject) -> str:
    """Return the text of one content part: none for thoughts and for what isn't known."""
    if isinstance(part, str):
        return part
    text = part.get("text") if part.get("type") in _TEXT_PARTS else None
    return text if isinstance(text, str) else ""


def _is_filtered(choice: JsonObject) -> bool:
    """Return whether the provider's content filter stopped the answer."""
    return choice.get("finish_reason") == "content_filter"
