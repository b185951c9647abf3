"""`ak-instagram simulator`: Meta's side alone, as the Compose file runs it."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

TOKEN = "a-verify-token"


@pytest.fixture
async def webhook():
    """A webhook that knows its token but is not up at first; it remembers what was posted."""
    posts = asyncio.Queue[dict[str, object]]()
    refusals = [503]

    async def verify(request: web.Request) -> web.Response:
        if refusals:
            return web.Response(status=refusals.pop())
        is_known = request.query["hub.verify_token"] == TOKEN
        return web.Response(text=request.query["hub.challenge"], status=200 if is_known else 403)

    async def take(request: web.Request) -> web.Response:
        assert "X-Hub-Signature-256" in request.headers
        await posts.put(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_get("/instagram/webhook", verify)
    app.router.add_post("/instagram/webhook", take)
    async with TestServer(app) as server:
        yield server.make_url("/instagram/webhook"), posts


async def start(port: int, *options: str) -> Process:
    command = [sys.executable, "-m", "ak_instagram", "simulator", f"--port={port}", *options]
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)


async def lines_until(process: Process, last: str) -> list[str]:
    """Return what *process* prints up to the line that has *last* in it."""
    lines: list[str] = []
    assert process.stdout is not None
    while not lines or last not in lines[-1]:
        line = await process.stdout.readline()
        assert line, f"it ended after {lines}"
        lines.append(line.decode())
    return lines


async def test_it_waits_for_the_webhook_and_posts_what_people_write(webhook):
    url, posts = webhook
    port = unused_port()
    process = await start(port, f"--webhook={url}", f"--verify-token={TOKEN}")
    try:
        said = await lines_until(process, "is verified")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as page:
            async with page.get("/_sim/people") as answer:
                [mia, *_] = await answer.json()
            path = f"/_sim/people/{mia['person']['igsid']}/messages"
            async with page.post(path, json={"text": "Are you open?"}) as answer:
                assert answer.status == 201
        post = await posts.get()
    finally:
        process.terminate()
        await process.communicate()

    assert f"  AK_INSTAGRAM__VERIFY_TOKEN={TOKEN}\n" in said
    assert sum("it answered 503" in line for line in said) == 1
    assert post["entry"][0]["messaging"][0]["message"]["text"] == "Are you open?"
    assert process.returncode == 0


async def test_a_port_that_is_taken_is_named(webhook):
    url, _ = webhook

    process = await start(url.port, f"--webhook={url}")

    _, error = await process.communicate()

    assert process.returncode == 1
    assert f"port {url.port} of 127.0.0.1" in error.decode()
