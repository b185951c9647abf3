"""A request that was given up does not arrive afterwards."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from ak_instagram.http_client import open_http_session

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc/net/tcp is Linux's")


def connections_to(port: int) -> set[str]:
    """Return the addresses that the kernel still has something to do for with *port*."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {local for _, local, remote, *_ in rows if remote.endswith(f":{port:04X}")}


@pytest.fixture
def deaf():
    """The port of a server that reads nothing: what is sent to it stays in the caller's kernel."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the least there is
        yield listener.getsockname()[1]


async def test_the_kernel_forgets_what_timed_out(deaf):
    url, give_up = f"http://127.0.0.1:{deaf}/", aiohttp.ClientTimeout(total=0.3)

    async with open_http_session(outgoing_proxies=False) as session:
        with pytest.raises(TimeoutError):
            await session.post(url, data=bytes(64 << 10), timeout=give_up)
        await asyncio.sleep(0)  # closing is a callback of the loop

        assert connections_to(deaf) == set()
