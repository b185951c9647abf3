"""The connections to the agent and to Meta: one pool for both."""

from __future__ import annotations

import socket
import struct

import aiohttp
from aiohttp.connector import AddrInfoType

# Closing sends a reset and forgets what has not arrived yet.
_FORGET = struct.pack("ii", 1, 0)


def open_http_session() -> aiohttp.ClientSession:
    """Return the pool; what it may do at once is bounded by its users."""
    connector = aiohttp.TCPConnector(
        limit=0, ttl_dns_cache=60, socket_factory=reset_on_close_socket
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=True
    )


def reset_on_close_socket(address: AddrInfoType) -> socket.socket:
    """
    Return a socket whose kernel stops sending when it is closed.

    Otherwise it goes on trying for minutes: a message whose send had timed out could
    arrive after it was looked for, not found, and sent again.
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)
    return made
