"""OpenAI's Chat Completions, as most gateways and model servers speak it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from ak_instagram.agents.agent import (
    Attachment,
    Needs,
    Part,
    Text,
    Turn,
    Withdrawn,
    attachments_of,
    prompt,
)
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

# With these, servers that can't stream say so.
_NO_STREAM = frozenset({400, 404, 405, 422, 501})
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
        self._streams = settings.stream

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """
        Yield the model's text as it comes, and what its calls of tools say; nothing if it has none.

        A request that is refused for what need not be in it is made once more without that.
        """
        asked, shows = turn, any(map(is_picture, attachments_of(turn)))
        streams, has_begun = self._streams, False
        while True:
            try:
                async with aclosing(self.attempt(asked, shows, streams)) as parts:
                    async for part in parts:
                        has_begun = True
                        yield part
            except (Permanent, Transient) as exc:
                if has_begun:
                    raise
                if streams and exc.status in _NO_STREAM and "stream" in str(exc):
                    left_out, streams = "stream", False
                elif (smaller := reduced(turn, asked, shows, exc)) is not None:
                    left_out = "history" if smaller[1] == shows else "pictures"
                    asked, shows = smaller
                else:
                    raise
                log.warning("agent.asked_for_less", left_out=left_out, reason=str(exc))
            else:
                return

    async def attempt(self, turn: Turn, shows: bool, streams: bool) -> AsyncGenerator[Part]:
        """Yield the answer to *turn*, with its pictures or their links, as a stream or whole."""
        body = request_body(turn, self._model, self._instructions, shows) | {"stream": streams}
        async with aclosing(self.respond(turn, body)) as parts:
            async for part in parts:
                yield part

    async def respond(self, turn: Turn, body: JsonObject) -> AsyncGenerator[Part]:
        """
        Yield the answer to *turn*: of one request, or of as many as calls of tools take.

        A server that refuses tools is asked without them.
        """
        has_begun = False
        try:
            if self._tools:
                ask = partial(self.request, turn, body)
                async with aclosing(converse(self._tools, ask, self.result)) as parts:
                    async for part in parts:
                        has_begun = True
                        yield part
                return
        except (Permanent, Transient) as exc:
            if has_begun or not may_be_about_tools(exc):
                raise
            log.warning("agent.asked_for_less", left_out="tools", reason=str(exc))
        async with aclosing(self.request(turn, body)) as heard:
            async for it in heard:
                for part in it.parts if isinstance(it, Reply) else [it]:
                    yield part

    async def request(
        self, turn: Turn, body: JsonObject, items: Sequence[JsonObject] = (), number: int = 0
    ) -> AsyncGenerator[Part | Reply]:
        """
        Yield what comes of the n-th request about *turn*, which repeats *items*, 0 without tools.

        That is what is said, then the reply, if there is more to it.
        """
        key = f"{turn.id}-{number}" if number > 1 else turn.id
        asked = self.offer(body, items, number) if number else body
        async with self._endpoint.ask(key, asked, turn) as answer:
            if not answer.is_stream:
                yield self.read(answer, await answer.json())
                return
            async for it in self.follow(answer):
                yield it

    def offer(self, body: JsonObject, items: Sequence[JsonObject], number: int) -> JsonObject:
        """Return *body* with the tools and the *items* that came of calls, for the n-th request."""
        return chat_request(body, self._tools, items, number)

    def result(self, call: Call, told: str) -> JsonObject:
        """Return the message by which the model is *told* what came of *call*."""
        return {"role": "tool", "tool_call_id": call.id, "content": told}

    def read(self, answer: AgentResponse, completion: JsonObject) -> Reply:
        """Return the reply that a whole *answer* is."""
        answer.raise_error(completion, Permanent, "agent answered with an error")
        return chat_reply(read_completion(completion))

    def follow(self, answer: AgentResponse) -> AsyncIterator[Part | Reply]:
        """Yield what a stream says as it comes, then the reply with its calls."""
        return read_stream(answer, self._max_answer)


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


async def read_stream(answer: AgentResponse, max_answer: int) -> AsyncIterator[Part | Reply]:
    """
    Yield the text of a stream piece by piece, then the reply if it calls tools.

    If the content filter cuts in, what was said is withdrawn. Calls of more than *max_answer*
    characters are `Permanent`.
    """
    calls: list[JsonObject] = []
    text = ""  # all of it, or blanks that may be no message
    async for chunk in answer.frames(is_last):
        answer.raise_error(chunk, Transient, "agent's stream reported an error")
        for choice in _choices(chunk)[:1]:  # none in a chunk of usage figures
            if _is_filtered(choice):
                calls, text = [], ""
                yield Withdrawn()
            elif piece := _text(choice, "delta"):
                is_blank, text = not text.strip(), text + piece
                if text.strip():
                    yield Text(text if is_blank else piece)
            add_calls(calls, choice)
        if sum(len(it["function"]["arguments"]) for it in calls) > max_answer:
            raise Permanent(f"agent's answer exceeds agent.max_answer ({max_answer})")
    if calls:
        yield chat_reply({"content": text, "tool_calls": calls})._replace(parts=[])


def add_calls(calls: list[JsonObject], choice: JsonObject) -> None:
    """Add the pieces of calls in a streamed *choice* to *calls*."""
    delta = choice.get("delta")
    pieces = delta.get("tool_calls") if isinstance(delta, dict) else None
    for piece in pieces if isinstance(pieces, list) and not _is_filtered(choice) else []:
        add_to_calls(calls, piece if isinstance(piece, dict) else {})


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
