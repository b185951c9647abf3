"""Serves an ASGI app on a socket of its own, inside the running event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

# An extension of the ASGI scope, `{"line": callable}`: it breaks the line that a call came by.
ABORT = "ak_instagram.abort"
_BACKLOG = 4096  # connections that wait to be accepted; what more of them send comes late
_GRACE = 1.0  # seconds that calls may take which are open at the end


class PortBusy(Exception):
    """The port can't be listened on; the message says which and why."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *port*, 0 being any free one; raise `PortBusy`."""
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as exc:
        raise PortBusy(f"port {port} of {host} can't be used: {exc.strerror}") from exc
    # Inherited by what it accepts: the end of an answer shall not wait for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[str]:
    """
    Serve *app* while the block runs; yield the URL it is reached by.

    This is uvicorn's protocol without its server, which takes over the process's
    signals and takes its time to stop.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=75,
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Protocol(config, state, {}), sock=listener, backlog=_BACKLOG
    )
    try:
        host, port = listener.getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.close()
        await _finish(state)


async def _finish(state: ServerState) -> None:
    """End all connections: idle ones at once, busy ones when they have been answered."""
    for connection in tuple(state.connections):
        connection.shutdown()
    if state.tasks:
        await asyncio.wait(state.tasks, timeout=_GRACE)
    for connection in tuple(state.connections):
        connection.transport.abort()
    while state.connections:  # noqa: ASYNC110 - the event loop is what is waited for
        await asyncio.sleep(0)


class _Protocol(HttpToolsProtocol):
    """HTTP whose app may break the line, which no ASGI message can say."""

    def on_message_begin(self) -> None:
        """Let the app break the line."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"line": self.transport.abort}}
