"""A Graph API that answers with the very bytes it is told to."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import aiohttp
import pytest

from ak_instagram.meta.graph.client import GraphClient


@dataclass
class Wire:
    """
    A port of the loopback that keeps the requests it heard.

    Each request gets the next of the answers, in order; when there is none left it
    waits for ever. An empty answer, or one that is cut short, ends the line.
    """

    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: list[tuple[bytes, bool]] = field(default_factory=list)

    def answer(self, status, body, *headers, ends=False):
        """Answer the next request as HTTP does; *ends* closes the line afterwards."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
        self._answers.append(("\r\n".join(lines).encode() + body, ends))

    def breaks_off(self, start=b""):
        """Answer the next request with *start* and close the line."""
        self._answers.append((start, True))

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            ends = False
            while not ends:
                self.requests.append(await _request(reader))
                self.heard.set()
                answer, ends = self._answers.pop(0) if self._answers else await _never(reader)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has left
        finally:
            writer.close()


async def _never(reader):
    """Wait until the client leaves."""
    await reader.read()
    return b"", True


async def _request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)


@pytest.fixture
async def wire():
    wire = Wire()
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield wire
    server.close()
    await server.wait_closed()


@pytest.fixture
async def session(wire):
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def graph(session, wire):
    return GraphClient(session, wire.url, "v21.0")
