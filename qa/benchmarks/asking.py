"""
Adapters beside the bare calls that they make: CPU time of the side that asks.

A server in a process of its own answers as the tests' dialects do. What an adapter sends is
written down once; the bare script sends the same, and reads the same answers as JSON.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, cast

import aiohttp
import uvloop
from aiohttp import web

from ak_instagram import fast_json
from ak_instagram.agents.agent import Turn, UserMessage
from ak_instagram.agents.answers import ask
from ak_instagram.agents.registry import build_agent
from ak_instagram.settings.model import AgentSettings
from qa.benchmarks import cores
from qa.support.serving import serving
from tests.support.dialects import DIALECTS, Dialect

ANSWER = "Yes, it is, and so are the others. You can have it in red, too."
TURN = Turn("turn-1", "session-1", "1", "2", (UserMessage("m", 1, "Is this still available?"),))
TIMEOUT = 5.0  # seconds
STARTS_WITHIN = 30.0  # seconds
NAME = "X-Adapter"


@dataclass(frozen=True, slots=True)
class Costs:
    """
    CPU microseconds of a question, by round: by *bare* calls, and as the *adapter* asks it.

    The adapter makes so many *calls* for each.
    """

    bare: list[float] = field(default_factory=list)
    adapter: list[float] = field(default_factory=list)
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Noting:
    """An HTTP client that writes down what is asked with it: method, URL, and all else."""

    session: aiohttp.ClientSession
    requests: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def request(self, method: str, url: str, **options: object) -> object:
        """Write a request down, and make it."""
        self.requests.append((method, url, options))
        return self.session.request(method, url, **cast("Any", options))


def measure(questions: int, rounds: int) -> dict[str, Costs]:
    """Return what a question costs by adapter: so many *questions* in each of the *rounds*."""
    with (
        _server() as url,
        ProcessPoolExecutor(1, get_context("spawn"), cores.pin, (cores.SUBJECT,)) as pool,
    ):
        return pool.submit(_ask_all, url, questions, rounds).result()


# --- the server ---------------------------------------------------------------


@contextmanager
def _server() -> Iterator[str]:
    """Run the server while the block does; yield its URL. A header says which adapter asks."""
    context = get_context("spawn")
    here, there = context.Pipe()
    with cores.pinned(cores.MEASURING):
        process = context.Process(target=_serve, args=(there,), daemon=True)
        process.start()
    try:
        if not here.poll(STARTS_WITHIN):
            raise TimeoutError("the server of the adapters' benchmark did not start")
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _serve(connection: Connection) -> None:
    async def serve() -> None:
        handlers = {str(dialect): _handler(dialect) for dialect in DIALECTS}

        async def handle(request: web.Request) -> web.Response:
            return await handlers[request.headers[NAME]](request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        async with serving(app) as url:
            connection.send(url)
            await asyncio.Event().wait()

    uvloop.run(serve())


def _handler(dialect: Dialect) -> Callable[[web.Request], Awaitable[web.Response]]:
    answer = dialect.answer(ANSWER)
    if dialect.only_streams:
        assert isinstance(answer, list)
        whole = b"".join(b"data: %b\n\n" % fast_json.dump(frame) for frame in answer)
    else:
        whole = fast_json.dump(answer)
    kind = "text/event-stream" if dialect.only_streams else "application/json"

    async def handle(request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        found = dialect.aside(request.method, request.path, body)
        return web.Response(
            body=whole if found is None else fast_json.dump(found),
            content_type=kind if found is None else "application/json",
        )

    return handle


# --- who asks -----------------------------------------------------------------


def _ask_all(url: str, questions: int, rounds: int) -> dict[str, Costs]:
    return uvloop.run(_rounds(url, questions, rounds))


async def _rounds(url: str, questions: int, rounds: int) -> dict[str, Costs]:
    costs = {str(dialect): Costs() for dialect in DIALECTS}
    async with aiohttp.ClientSession() as session:
        for number in range(rounds + 1):
            for name, cost in costs.items():
                settings = AgentSettings(
                    name, f"{url}/v1", model="m", stream=False, headers={NAME: name}
                )
                noting = Noting(session)
                noted = build_agent(settings, cast("aiohttp.ClientSession", noting))
                await ask(noted, TURN, settings.max_answer, TIMEOUT)  # it may look for a card
                noting.requests.clear()
                await ask(noted, TURN, settings.max_answer, TIMEOUT)
                agent = build_agent(settings, session)

                bare = partial(_bare, session, noting.requests)
                asked = partial(ask, agent, TURN, settings.max_answer, TIMEOUT)
                taken = await _cost(questions, bare), await _cost(questions, asked)
                if number:  # the first round warms up
                    cost.bare.append(taken[0])
                    cost.adapter.append(taken[1])
                    costs[name] = Costs(cost.bare, cost.adapter, len(noting.requests))
    return costs


async def _cost(questions: int, act: Callable[[], Awaitable[object]]) -> float:
    began = time.process_time()
    for _ in range(questions):
        await act()
    return (time.process_time() - began) / questions * 1e6


async def _bare(
    session: aiohttp.ClientSession, requests: Iterable[tuple[str, str, dict[str, Any]]]
) -> None:
    """Make the calls as anybody would, and read their answers as JSON, by line in a stream."""
    for method, url, options in requests:
        async with session.request(method, url, **options) as response:
            body = await response.read()
            is_stream = response.content_type != "application/json"
            for line in body.split(b"\n\n")[:-1] if is_stream else [body]:
                fast_json.load(line.removeprefix(b"data: "))
