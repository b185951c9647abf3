"""OpenAI's Responses API, as far as the Agents SDK needs it: real HTTP, a made-up model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

API_KEY = "sk-fake-openai-key"


class FakeOpenAI:
    """Answers every request with what it was asked last, unless it is told to fail."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self._failures: list[int] = []
        self._words: list[str] = []

    def will_fail(self, *statuses: int) -> None:
        """Answer the next requests with *statuses*, one each."""
        self._failures.extend(statuses)

    def will_say(self, *words: str) -> None:
        """Answer the next requests with *words*, one each."""
        self._words.extend(words)

    def forget(self) -> None:
        """Start anew."""
        self.asked.clear()
        self._words.clear()
        self._failures.clear()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the request and answer it."""
        if request.headers.get("Authorization") != f"Bearer {API_KEY}":
            return _failed(401)
        asked = await request.json()
        self.asked.append(asked)
        if self._failures:
            return _failed(self._failures.pop(0))
        repeated = f"You said: {_last_words(asked['input'])}"
        response = _response(asked["model"], self._words.pop(0) if self._words else repeated)
        if not asked.get("stream"):
            return web.json_response(response)
        return web.Response(text="".join(_events(response)), content_type="text/event-stream")


@asynccontextmanager
async def fake_openai() -> AsyncIterator[FakeOpenAI]:
    """Run it while the block does; `url` is what `OPENAI_BASE_URL` wants."""
    openai = FakeOpenAI()
    app = web.Application()
    app.router.add_post("/v1/responses", openai.handle)
    async with TestServer(app) as server:
        openai.url = str(server.make_url("/v1"))
        yield openai


def _failed(status: int) -> web.Response:
    return web.json_response({"error": {"message": "no", "type": "x", "code": "y"}}, status=status)


def _last_words(items: str | list[dict[str, Any]]) -> str:
    if isinstance(items, str):
        return items
    return next(it["content"] for it in reversed(items) if isinstance(it.get("content"), str))


def _response(model: str, text: str) -> dict[str, Any]:
    content = {"type": "output_text", "text": text, "annotations": []}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "model": model,
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _events(response: dict[str, Any]):
    """Yield the events of a stream that says *response*."""
    [message] = response["output"]
    [content] = message["content"]
    place = {"item_id": message["id"], "output_index": 0, "content_index": 0}
    begun = {**message, "status": "in_progress", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response, "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        {"type": "response.output_text.delta", **place, "delta": content["text"], "logprobs": []},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": response},
    ]
    for number, event in enumerate(events):
        data = json.dumps({**event, "sequence_number": number})
        yield f"event: {event['type']}\ndata: {data}\n\n"
