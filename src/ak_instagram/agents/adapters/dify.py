"""
Dify: a chat app, an agent or a chatflow, asked by `POST /v1/chat-messages`.

Dify names the conversation, and tells which one a user's newest is. So each turn begins with a
look for it: nothing is kept here. The answer is streamed, since an agent app refuses to block; a
server that answers whole JSON is understood. Text is told as it comes if no moderation of the app's
may replace it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ak_instagram.agents.agent import (
    Handoff,
    Media,
    MessageEnd,
    Needs,
    Part,
    Text,
    Turn,
    Withdrawn,
    attachments_of,
    prompt,
)
from ak_instagram.agents.transport import (
    JSON_OR_EVENTS,
    AgentResponse,
    Endpoint,
    JsonObject,
    agent_url,
)
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

if TYPE_CHECKING:
    import aiohttp

DEFAULT_URL = "https://api.dify.ai/v1"
_PATH = "/chat-messages"
# By Dify's words, of a quota that is used up; that there are `too_many_requests` passes.
_WONT_HEAL = "rate_limit_error"
_ADVICE = {404: "check agent.url, which ends in /v1"}
_FILES = {"image": "image", "video": "video", "audio": "audio", "file": "document"}
_PAUSES = frozenset({"workflow_paused", "human_input_required"})
_LAST = _PAUSES | {"message_end", "error"}
_WAITS = Handoff("the Dify workflow waits for somebody's decision")


class Dify:
    """Asks an app, to which each conversation is a user of its own."""

    history = 0
    needs = Needs(
        always=(("agent.api_key", "set the app's API key, app-…"),), default_url=DEFAULT_URL
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        url = agent_url(settings, _PATH, default=DEFAULT_URL)
        self._url = url
        self._streams = settings.stream
        self._endpoint = Endpoint(settings, session, url, accept=JSON_OR_EVENTS, advice=_ADVICE)

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the app's answer, or a handoff if its workflow waits for somebody."""
        try:
            async with aclosing(self._ask(turn)) as parts:
                async for part in parts:
                    yield part
        except Transient as exc:
            if _WONT_HEAL in str(exc):
                raise Permanent(str(exc), status=exc.status) from exc
            raise

    async def _ask(self, turn: Turn) -> AsyncGenerator[Part]:
        conversation, is_final = await asyncio.gather(
            self._conversation(turn), self._is_final(turn)
        )
        async with self._endpoint.ask(turn.id, request_body(turn, conversation), turn) as answer:
            if answer.is_stream:
                async for part in read_stream(answer, is_final):
                    yield part
                return
            document = await answer.json()
            raise_error(answer, document)
            text = document.get("answer")
            if not isinstance(text, str):
                raise Permanent("agent's answer has no text in `answer`")
            yield Text(text)

    async def _is_final(self, turn: Turn) -> bool:
        """Return whether what the app says stays said: it has no moderation, and tells so."""
        if not self._streams:
            return False
        try:
            moderation = (await self._look(turn, "/parameters")).get("sensitive_word_avoidance")
        except (Permanent, Transient):  # the question will tell
            return False
        return isinstance(moderation, dict) and moderation.get("enabled") is False

    async def _conversation(self, turn: Turn) -> str:
        """Return the id of the person's conversation, empty if there is none yet."""
        query = urlencode({"user": turn.session, "limit": 1})
        found = (await self._look(turn, "/conversations", query)).get("data")
        newest = found[0] if isinstance(found, list) and found else {}
        id_ = newest.get("id") if isinstance(newest, dict) else None
        return id_ if isinstance(id_, str) else ""

    async def _look(self, turn: Turn, path: str, query: str = "") -> JsonObject:
        """Return what the server tells at *path*."""
        url = self._url.replace(_PATH, path)
        joined = f"{url}{'&' if '?' in url else '?'}{query}" if query else url
        async with self._endpoint.ask(turn.id, None, turn, "GET", url=joined) as answer:
            return await answer.json()


def request_body(turn: Turn, conversation: str) -> JsonObject:
    """
    Return the request that asks *turn* in the *conversation*.

    An app that takes no files passes over them, so each is a line of the query too. `inputs` are
    for apps that declare such variables; the others pass over them.
    """
    payloads = [message.payload for message in turn.messages if message.payload]
    files = [
        {"type": _FILES[it.kind], "transfer_method": "remote_url", "url": it.url}
        for it in attachments_of(turn)
        if it.kind in _FILES and it.url
    ]
    payload = payloads[-1] if payloads else None
    inputs = {"account": turn.account, "agent": turn.agent, "payload": payload}
    return {
        "inputs": {name: value for name, value in inputs.items() if value},
        "query": prompt(turn),
        "response_mode": "streaming",
        "conversation_id": conversation,
        "user": turn.session,
        **({"files": files} if files else {}),
    }


async def read_stream(answer: AgentResponse, is_final: bool) -> AsyncIterator[Part]:
    """
    Yield what a stream says: as it comes if what is said *is_final*, else all at its end.

    Until then a moderated text is replaced. So is an agent's, whose last `message` repeats all of
    it, and which is heard out therefore.
    """
    text, is_agents = "", False
    media: list[Part] = []
    says = False
    async for event in answer.frames(lambda event: event.get("event") in _LAST):
        kind = event.get("event")
        raise_error(answer, event)
        if kind in _PAUSES:
            yield Withdrawn()
            yield _WAITS
            return
        if kind in ("message", "agent_message", "message_replace"):
            delta = event.get("answer")
            if not isinstance(delta, str):
                raise Permanent("agent's message has no text in `answer`")
            if kind == "message" and is_final and not is_agents:
                says = True
                yield Text(delta)
                continue
            if kind == "message_replace":
                is_final = False
                yield Withdrawn()
            is_whole = kind == "message_replace" or (kind == "message" and is_agents)
            text = delta if is_whole else text + delta
            is_agents = kind == "agent_message"
        elif kind == "message_file" and event.get("belongs_to") == "assistant":
            media += _media(event)
    if text:
        yield Text(text)
    for file in media:
        if says or text or file is not media[0]:
            yield MessageEnd()
        yield file


def raise_error(answer: AgentResponse, document: JsonObject) -> None:
    """Raise what an `error` event means, by the status that it names."""
    if document.get("event") == "error":
        told = {"type": document.get("code"), "message": document.get("message")}
        status = document.get("status")
        code = {"code": status} if isinstance(status, int) else {}
        answer.raise_error({"error": {**told, **code}}, Transient, "agent's run failed")
        raise Transient("agent's run failed")


def _media(event: JsonObject) -> list[Part]:
    """Return the file that the app made, if others can fetch it."""
    kind, url = event.get("type"), event.get("url")
    if not isinstance(url, str) or not url.startswith("https://"):
        return []
    match kind:
        case "image" | "audio" | "video":
            return [Media(kind, url)]
    return [Media("file", url)]
