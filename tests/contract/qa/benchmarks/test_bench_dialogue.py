"""Whole turns in a closed loop, against the script that the service is compared with."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ak_instagram.meta.parse import parse_webhook
from qa.benchmarks.bare_server import create_app
from qa.benchmarks.dialogue import Dialogue, hold
from qa.benchmarks.journal import Journal
from qa.benchmarks.protocols import Agent, Graph
from qa.benchmarks.turns import unlike
from qa.benchmarks.webhooks import PATH, Messages

MESSAGES = Messages(count=5_000, conversations=50)


@pytest.fixture
def journal():
    return Journal()


@pytest.fixture
async def bare(journal):
    """The bare script, served, with both peers beside it."""
    loop = asyncio.get_running_loop()
    peers = [
        await loop.create_server(partial(peer, journal), "127.0.0.1", 0) for peer in (Graph, Agent)
    ]
    urls = [f"http://127.0.0.1:{peer.sockets[0].getsockname()[1]}" for peer in peers]
    async with TestServer(create_app(*urls)) as server:
        yield server
    for peer in peers:
        peer.close()


def serving(*routes: web.RouteDef) -> TestServer:
    app = web.Application()
    app.add_routes(routes)
    return TestServer(app)


def dialogue(port: int) -> Dialogue:
    return Dialogue([port], MESSAGES, unanswered=4, warm_up=0.1, seconds=0.3)


async def test_each_message_is_answered_with_each_call_once(bare, journal):
    held = await hold(dialogue(bare.port), journal)

    assert held.rate > 0
    assert not list(unlike(held.posted, journal.arrivals))


async def test_calls_are_made_one_after_another(bare, journal):
    await hold(Dialogue([bare.port], MESSAGES, 1, warm_up=0.0, seconds=0.1), journal)

    first = [arrival.what for arrival in journal.arrivals[:4]]
    assert first == ["mark_seen", "typing_on", "agent", "message"]


async def test_no_more_is_under_way_than_was_asked_for(journal):
    waiting: set[str] = set()
    under_way: list[int] = []

    def answer(who: str) -> None:
        waiting.remove(who)
        journal.note("message", who)

    async def answer_later(request: web.Request) -> web.Response:
        (event,) = parse_webhook(await request.read(), received=0).events
        waiting.add(event.contact)
        under_way.append(len(waiting))
        asyncio.get_running_loop().call_later(0.01, answer, event.contact)
        return web.Response()

    async with serving(web.post(PATH, answer_later)) as server:
        assert server.port is not None
        await hold(dialogue(server.port), journal)

    assert max(under_way) == 4


async def test_a_webhook_that_is_refused_ends_it(journal):
    async with serving() as server:
        assert server.port is not None
        with pytest.raises(RuntimeError, match="answered 404"):
            await hold(dialogue(server.port), journal)
