"""The health check of the image: its exit code over real HTTP."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from ak_instagram import probe


@pytest.fixture
async def server(monkeypatch):
    """A server that is alive and not ready, on the port that the settings name."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.path == "/livez" else 503)

    app = web.Application()
    app.router.add_get("/{path}", answer)
    async with TestServer(app) as server:
        monkeypatch.setenv("AK_SERVER__PORT", str(server.port))
        yield server


async def check(*targets: object) -> int:
    return await asyncio.to_thread(probe.main, [str(target) for target in targets])


async def test_what_answers_200_is_healthy(server):
    assert await check("/livez") == 0


async def test_a_url_may_be_of_another_server(server, monkeypatch):
    monkeypatch.setenv("AK_SERVER__PORT", str(unused_port()))

    assert await check(server.make_url("/livez")) == 0


async def test_one_that_fails_is_enough_and_is_named(server, capsys):
    assert await check("/livez", "/readyz") == 1

    assert "/readyz: HTTP Error 503" in capsys.readouterr().err


async def test_nobody_there_is_unhealthy(monkeypatch, capsys):
    monkeypatch.setenv("AK_SERVER__PORT", str(unused_port()))

    assert await check("/livez") == 1

    assert "refused" in capsys.readouterr().err
