"""How connections to PostgreSQL are made, and how it is seen that one has ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

CONNECT_WITHIN = 3.0  # seconds; Meta waits five for its answer
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
    event.listen(engine.sync_engine, "checkout", _refuse_if_ended)


def _refuse_if_ended(connection: DBAPIConnection, *_: object) -> None:
    driver: Any = connection
    raw = driver.driver_connection
    if raw.is_closed() or raw.is_in_transaction():
        raise DisconnectionError


def has_ended(connection: AsyncConnection) -> bool:
    """Return whether the server is known to have ended *connection*."""
    driver: Any = connection.sync_connection
    ended: bool = driver.connection.driver_connection.is_closed()
    return ended
