"""An aiohttp app on a port of the loopback, with room for all who call at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

# Connections that wait to be accepted. When there are more, the kernel drops what is
# sent on them and delivers it seconds later, which is no trouble that was asked for.
BACKLOG = 4096


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve *app* while the block runs; yield its URL. Who hangs up ends what was asked for."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
