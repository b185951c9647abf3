"""A server is waited for until it is ready, and no longer than it runs."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from qa.support.processes import NotReady, free_port, wait_until_ready
from tests.support.loopback import loopback


async def test_a_server_is_ready_once_it_says_so():
    answers = [503, 503, 200]
    app = Starlette(routes=[Route("/readyz", lambda _: Response(status_code=answers.pop(0)))])

    async with loopback(app) as url:
        port = urlsplit(url).port
        assert port is not None
        await asyncio.to_thread(wait_until_ready, port)

    assert answers == []


def test_a_process_that_ended_is_not_waited_for():
    port = free_port()

    with pytest.raises(NotReady, match=str(port)):
        wait_until_ready(port, is_running=lambda: False)
