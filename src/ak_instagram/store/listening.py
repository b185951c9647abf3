"""How a replica hears that another has stored work which it can't do itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ak_instagram.backoff import Backoff

from .postgres_errors import REFUSED
from .transactions import CHANNEL

log = structlog.get_logger()

_RETRY = Backoff(first=0.2, factor=2, longest=5)


async def listen(engine: AsyncEngine, wake: Callable[[], None]) -> None:
    """Hear notifications for ever; while the server is away, `Store` polls."""
    failures = 0
    while True:
        try:
            async with engine.connect() as connection:
                failures = 0
                await _hear(connection, wake)
        except REFUSED as exc:
            failures += 1
            log.warning("store.listener_lost", reason=type(exc).__name__)
        await asyncio.sleep(_RETRY.wait(failures + 1))


async def _hear(connection: AsyncConnection, wake: Callable[[], None]) -> None:
    """Call *wake* for each notification until the connection ends."""
    raw = (await connection.get_raw_connection()).driver_connection
    if raw is None:
        return
    ended = asyncio.Event()
    raw.add_termination_listener(lambda _: ended.set())
    await raw.add_listener(CHANNEL, lambda *_: wake())
    wake()
    await ended.wait()
