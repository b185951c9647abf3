"""
The least that a whole turn takes: a webhook that stores nothing, and the calls of an answer.

`python -m qa.benchmarks.bare_server PORT GRAPH_URL AGENT_URL` answers 200 and makes the calls
in the background. It checks no signature, keeps no order and forgets whom it owes an answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from qa.benchmarks.calls import Calls
from qa.benchmarks.webhooks import PATH

CALLS = web.AppKey("calls", Calls)


class Webhook:
    """The endpoint, and the answers that are under way."""

    def __init__(self) -> None:
        self._answers: set[asyncio.Task[None]] = set()

    async def take(self, request: web.Request) -> web.Response:
        """Answer 200, and each message later."""
        calls = request.app[CALLS]
        for entry in json.loads(await request.read())["entry"]:
            for messaging in entry["messaging"]:
                self._spawn(calls.answer(messaging["sender"]["id"]))
        return web.Response(text="EVENT_RECEIVED")

    def _spawn(self, answer: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(answer)
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)


async def readyz(_request: web.Request) -> web.Response:
    """Answer that requests are served."""
    return web.Response(text="ready")


def create_app(graph_url: str, agent_url: str) -> web.Application:
    """Return the webhook with one HTTP client for all calls."""

    async def calls(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            app[CALLS] = Calls(session, graph_url, agent_url)
            yield

    app = web.Application()
    app.cleanup_ctx.append(calls)
    app.add_routes([web.post(PATH, Webhook().take), web.get("/readyz", readyz)])
    return app


def main() -> None:
    """Serve until killed."""
    port, graph_url, agent_url = sys.argv[1:]
    web.run_app(
        create_app(graph_url, agent_url),
        host="127.0.0.1",
        port=int(port),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main()
