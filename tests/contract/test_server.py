"""The process that serves takes what it may, ends when told to, and says why it did not start."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket

import pytest
import uvicorn
from starlette.applications import Starlette

from ak_instagram.server import raise_open_file_limit, stop_on_signal
from qa.support.service import Service

SETTINGS = {
    "instagram.verify_token": "verify",
    "instagram.access_token": "IGAAtoken",
    "agent.adapter": "echo",
}


async def not_started(service: Service) -> str:
    """Start *service*, which is to end by itself; return the reason that it gave."""
    await service.launch()
    assert await service.ended() == 1
    [line] = [line for line in service.logged() if line.get("level") == "critical"]
    assert line["event"] == "service.not_started"
    return line["reason"]


async def test_who_finds_the_port_taken_says_what_to_set(tmp_path):
    service = Service(tmp_path, SETTINGS)
    with socket.create_server(("127.0.0.1", service.port)):
        reason = await not_started(service)

    assert "AK_SERVER__PORT" in reason


async def test_who_finds_no_database_says_where_it_looked_and_no_password(tmp_path):
    url = "postgresql://bot:pass-word@127.0.0.1:1/shop"
    service = Service(tmp_path, SETTINGS | {"store.url": url})

    reason = await not_started(service)

    assert reason == "store.url: postgresql://bot:***@127.0.0.1:1/shop: ConnectionRefusedError"
    assert not [line for line in service.lines if "pass-word" in line]


async def test_a_signal_that_comes_before_the_server_listens_for_it_ends_it():
    server = uvicorn.Server(uvicorn.Config(Starlette(), port=0, lifespan="off", log_config=None))
    before = signal.signal(signal.SIGTERM, stop_on_signal(server))
    try:
        signal.raise_signal(signal.SIGTERM)

        ended, _ = await asyncio.wait({asyncio.create_task(server.serve())}, timeout=5)

        assert [serving.exception() for serving in ended] == [None]
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("ask", [Service.terminate, Service.interrupt])
async def test_a_signal_while_a_silent_database_is_waited_for_ends_it_in_order(tmp_path, ask):
    asked = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as database:
        port = database.sockets[0].getsockname()[1]
        url = f"postgresql://bot:word@127.0.0.1:{port}/x"
        service = Service(tmp_path, SETTINGS | {"store.url": url})
        await service.launch()
        async with asyncio.timeout(10):
            await asked.wait()
        ask(service)

        code = await service.ended()
    assert (code, [line for line in service.lines if "service.not_started" in line]) == (0, [])
    assert "Traceback" not in "\n".join(service.lines)


@pytest.mark.parametrize("ask", [Service.terminate, Service.interrupt])
async def test_a_signal_while_it_serves_ends_it_in_order(tmp_path, ask):
    service = Service(tmp_path, SETTINGS)
    await service.start()

    ask(service)

    assert await service.ended() == 0
    assert "Traceback" not in "\n".join(service.lines)


def test_it_takes_as_many_open_files_as_it_may_have():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        raise_open_file_limit()

        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
