"""OpenAI's Chat Completions, as most gateways and model servers speak it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from ak_instagram.errors import Permanent, SettingsError, Transient
from ak_instagram.settings.model import AgentSettings

from .agent import (
    Attachment,
    HistoryLine,
    Needs,
    Part,
    Text,
    Turn,
    attachments_of,
    prompt,
    references,
)
from .transport import AgentResponse, Endpoint, JsonObject, agent_url, require_object

if TYPE_CHECKING:
    import aiohttp

DEFAULT_MODEL = "gpt-5.4-mini"

log = structlog.get_logger()

# With these servers refuse a picture for a model without eyes (llama.cpp says 500, vLLM 400) …
_BLIND = frozenset({400, 415, 422, 500, 501})
# … and a request that is longer than the model's context.
_TOO_LONG = frozenset({400, 413, 422})

# The types of content parts that are for the person to read.
_TEXT_PARTS = ("text", "output_text")


class OpenAIChat:
    """Asks a model that keeps no memory: each request repeats the instructions and the history."""

    needs = Needs(
        default_url="https://api.openai.com/v1",
        at_default=(("agent.api_key", "set it, or OPENAI_API_KEY"),),
        elsewhere=(("agent.model", "set one that the server has"),),  # it can't be guessed
        key_variable="OPENAI_API_KEY",
        url_variable="OPENAI_BASE_URL",
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        url = agent_url(settings, "/chat/completions", default=self.needs.default_url)
        if not settings.model and not self.needs.is_default(url):
            problem = "the server at agent.url has to be told which; set AK_AGENT__MODEL"
            raise SettingsError([f"agent.model: {problem}"])
        self.history = settings.history
        self._endpoint = Endpoint(settings, session, url, asks_model=True)
        self._model = settings.model or DEFAULT_MODEL
        self._instructions = settings.instructions
        self._max_answer = settings.max_answer

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """
        Yield the model's text, empty if it has none to say.

        A server that refuses a request with pictures or a history is asked for less at once:
        its model may have no eyes, or no room for all that.
        """
        asked = Asked(turn.history, with_pictures=any(map(is_picture, attachments_of(turn))))
        while True:
            try:
                text = await self._complete(turn, asked)
                break
            except (Permanent, Transient) as exc:
                less = narrower(asked, exc.status)
                if less is None:
                    raise
                left_out = "pictures" if asked.with_pictures else "history"
                log.warning("agent.asked_for_less", left_out=left_out, reason=str(exc))
                asked = less
        yield Text(text)

    async def _complete(self, turn: Turn, asked: Asked) -> str:
        body = request_body(turn, self._model, self._instructions, asked)
        async with self._endpoint.ask(turn.id, body, turn) as answer:
            if answer.is_stream:
                return await joined(answer, self._max_answer)
            completion = require_object(await answer.json())
            answer.raise_error(completion, Permanent, "agent answered with an error")
            return read_completion(completion)


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of a turn that a request has besides the words: *halved* is its history."""

    history: tuple[HistoryLine, ...] = ()
    with_pictures: bool = False
    halved: bool = False


def narrower(asked: Asked, status: int | None) -> Asked | None:
    """
    Return what to ask for after *asked* was refused with *status*, `None` if that can't help.

    First the pictures are left out, then the older half of the history, then all of it.
    """
    if asked.with_pictures and status in _BLIND:
        return replace(asked, with_pictures=False)
    if not asked.history or status not in _TOO_LONG:
        return None
    half = () if asked.halved else asked.history[(len(asked.history) + 1) // 2 :]
    return replace(asked, history=half, halved=True)


def request_body(turn: Turn, model: str, instructions: str | None, asked: Asked) -> JsonObject:
    """
    Return the completion request for *turn*; `user` tells people apart without naming them.

    The turn is plain text, which every server takes, or a list of parts if it has pictures.
    A picture that is not *asked* about is a line of text.
    """
    carried = is_picture if asked.with_pictures else lambda _: False
    text = "\n".join([*references(turn), prompt(turn, carried)])
    pictures = [
        {"type": "image_url", "image_url": {"url": attachment.url}}
        for attachment in attachments_of(turn)
        if carried(attachment)
    ]
    content = [{"type": "text", "text": text}, *pictures] if pictures else text
    system = [{"role": "system", "content": instructions}] if instructions else []
    past = [{"role": line.role, "content": line.text} for line in asked.history]
    return {
        "model": model,
        "messages": [*system, *past, {"role": "user", "content": content}],
        "user": turn.session,
        "stream": False,
    }


def is_picture(attachment: Attachment) -> bool:
    """Return whether *attachment* can be an `image_url` part."""
    return attachment.kind == "image" and attachment.url is not None


def read_completion(completion: JsonObject) -> str:
    """Return the text of a whole answer, or raise why there is none to be had."""
    choices = _choices(completion)
    if not choices or not isinstance(choices[0].get("message"), dict):
        raise Permanent("agent's answer has no message in `choices`")
    return _text(choices[0], "message")


async def joined(answer: AgentResponse, max_answer: int) -> str:
    """
    Return the text of a stream, which nobody asked for but some servers send.

    More than *max_answer* characters are `Permanent`.
    """
    text = ""
    async for chunk in answer.frames(is_last):
        answer.raise_error(chunk, Transient, "agent's stream reported an error")
        text = extended(text, chunk)
        if len(text) > max_answer:
            raise Permanent(f"agent's answer exceeds agent.max_answer ({max_answer})")
    return text


def extended(text: str, chunk: JsonObject) -> str:
    """Return *text* with what *chunk* adds, or nothing if the content filter cut in."""
    choices = _choices(chunk)
    if not choices:  # a chunk of usage figures
        return text
    return "" if _is_filtered(choices[0]) else text + _text(choices[0], "delta")


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
