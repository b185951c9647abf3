"""The listener: a web app on a socket of its own, inside the running event loop."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_BACKLOG = 4096  # connections that wait to be accepted; what more of them send comes late
_KEEP_ALIVE = 75.0  # seconds that a connection may be idle
_GRACE = 1.0  # seconds that calls may take which are open at the end


class PortBusy(Exception):
    """The port can't be listened on; the message says which and why."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *port*, 0 being any free one; raise `PortBusy`."""
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as exc:
        raise PortBusy(f"port {port} of {host} can't be used: {exc.strerror}") from exc


@asynccontextmanager
async def serving(app: web.Application, listener: socket.socket) -> AsyncIterator[str]:
    """
    Serve *app* while the block runs; yield the URL it is reached by.

    At the end idle connections are closed at once, busy ones when they have been answered.
    """
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=_KEEP_ALIVE, shutdown_timeout=_GRACE
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener, backlog=_BACKLOG).start()
        host, port = listener.getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
        listener.close()
