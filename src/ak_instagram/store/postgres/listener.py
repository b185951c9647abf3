"""How a replica hears that another has stored work which it can't do itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from ak_instagram.backoff import Backoff
from ak_instagram.store.database import CHANNEL

log = structlog.get_logger()

LOOK = 30.0  # seconds between two looks whether the server is still there
_RETRY = Backoff(first=0.2, factor=2, longest=5)


async def listen(engine: AsyncEngine, wake: Callable[[], None]) -> None:
    """
    Hear notifications for ever; while the server is away, `Store` polls.

    That they are gone is told once, until a connection has lasted for a while.
    """
    losses = 0
    while True:
        try:
            async for _ in _hear(engine, wake):
                losses = 0
        except Exception as exc:  # noqa: BLE001 - nothing ends it, or others would wait for ever
            losses += 1
            if losses == 1:
                log.warning("store.listener_lost", reason=type(exc).__name__)
        await asyncio.sleep(_RETRY.wait(losses))


async def _hear(engine: AsyncEngine, wake: Callable[[], None]) -> AsyncIterator[None]:
    """
    Call *wake* for each notification; yield whenever the server has shown that it is there.

    Raises what the driver does once the connection has ended.
    """
    async with engine.connect() as connection:
        try:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            ended = asyncio.Event()
            raw.add_termination_listener(lambda _: ended.set())
            await raw.add_listener(CHANNEL, lambda *_: wake())
            wake()
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), LOOK)
                await raw.execute("SELECT 1")
                yield
        finally:
            await connection.invalidate()  # whoever had it next would be listening
