"""Connections to PostgreSQL: how they are made, seen to have ended, and listened on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ak_instagram.backoff import Backoff
from ak_instagram.store.database import CHANNEL

log = structlog.get_logger()

CONNECT_WITHIN = 3.0  # seconds; Meta waits five for its answer
LOOK = 30.0  # seconds between two looks of a listener whether the server is still there
_RETRY = Backoff(first=0.2, factor=2, longest=5)
# A replica that was cut off without a word is given up after half a minute, not two hours.
_KEEPALIVE = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


def driver_url(url: str) -> URL:
    """Return *url* with the driver that is used, and `sslmode` in its word for it, `ssl`."""
    known = make_url(url)
    query = {"ssl" if name == "sslmode" else name: value for name, value in known.query.items()}
    return known.set(drivername="postgresql+asyncpg", query=query)


def connect_args(idle_within: float) -> dict[str, object]:
    """
    Have the server end a transaction whose client says nothing for *idle_within* seconds.

    It may be one of a replica that is gone or frozen, and others wait for its locks.
    """
    idle = {"idle_in_transaction_session_timeout": f"{idle_within}s"}
    return {"timeout": CONNECT_WITHIN, "server_settings": {**_KEEPALIVE, **idle}}


def replace_ended(engine: AsyncEngine) -> None:
    """
    Have the pool of *engine* open another connection for one that has ended.

    To ask the server, as the pool would, takes three round trips before each transaction.
    """

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_if_ended(connection: Any, *_: object) -> None:  # noqa: ANN401 - the driver's own type
        raw = connection.driver_connection
        if raw.is_closed() or raw.is_in_transaction():
            raise DisconnectionError


def has_ended(connection: AsyncConnection) -> bool:
    """Return whether the server is known to have ended *connection*."""
    driver: Any = connection.sync_connection
    ended: bool = driver.connection.driver_connection.is_closed()
    return ended


async def listen(
    engine: AsyncEngine, wake: Callable[[], None], *, look_every: float = LOOK
) -> None:
    """
    Call *wake* for each notification of another replica, for ever.

    While the server is away, the dispatcher polls. That is logged once, until a connection
    has lasted for *look_every* seconds, after which it is seen whether it still works.
    """
    losses = 0
    while True:
        try:
            async for _ in _hear(engine, wake, look_every):
                losses = 0
        except Exception as exc:  # noqa: BLE001 - nothing ends it, or others would wait for ever
            losses += 1
            if losses == 1:
                log.warning("store.listener_lost", reason=type(exc).__name__)
        await asyncio.sleep(_RETRY.wait(losses))


async def _hear(
    engine: AsyncEngine, wake: Callable[[], None], look_every: float
) -> AsyncIterator[None]:
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
                    await asyncio.wait_for(ended.wait(), look_every)
                await raw.execute("SELECT 1")
                yield
        finally:
            await connection.invalidate()  # whoever had it next would be listening
