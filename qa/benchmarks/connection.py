"""A keep-alive connection that posts prepared bytes: an HTTP client's cost is not measured."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import cast

from qa.benchmarks.http1 import status_of, take_message


class Connection(asyncio.Protocol):
    """One connection to a server on this machine, with one request under way at most."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._answer: asyncio.Future[tuple[int, float]] | None = None

    def post(self, request: bytes) -> asyncio.Future[tuple[int, float]]:
        """Write *request*; the result is its answer's status and when it came (`perf_counter`)."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send each request at once."""
        self._transport = without_delay(transport)

    def data_received(self, data: bytes) -> None:
        """Hand over the answer once it is whole."""
        self._buffer += data
        message = take_message(self._buffer)
        if message is not None and self._answer is not None:
            self._answer.set_result((status_of(message[0]), time.perf_counter()))
            self._answer = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request under way."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server hung up"))


async def connect(port: int) -> Connection:
    """Return a connection to *port*."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
    return connection


def without_delay(transport: asyncio.BaseTransport) -> asyncio.WriteTransport:
    """Switch Nagle's algorithm off, which not every loop does by itself, and return *transport*."""
    plug: socket.socket = transport.get_extra_info("socket")
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return cast(asyncio.WriteTransport, transport)  # uvloop's own class inherits from nothing
