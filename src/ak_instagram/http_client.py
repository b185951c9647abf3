"""The connections to the agent and to Meta: one pool for both."""

from __future__ import annotations

import os
import socket
import struct
from urllib.request import getproxies_environment

import aiohttp
from aiohttp.connector import AddrInfoType

# Closing sends a reset and forgets what has not arrived yet.
_FORGET = struct.pack("ii", 1, 0)


def open_http_session(
    *, outgoing_proxies: bool, trace: aiohttp.TraceConfig | None = None
) -> aiohttp.ClientSession:
    """
    Return the pool; what it may do at once is bounded by its users.

    *trace* watches its requests.

    With *outgoing_proxies* it goes through those of the environment, and `NETRC` is set for
    this process, to a file that is empty.
    """
    if outgoing_proxies:
        # Along with the proxies aiohttp takes logins from there, and refuses every request that
        # has a token of its own to a host for which it finds one.
        os.environ["NETRC"] = os.devnull
    connector = aiohttp.TCPConnector(
        limit=0, ttl_dns_cache=60, socket_factory=reset_on_close_socket
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=True,
        trust_env=outgoing_proxies,
        trace_configs=[trace] if trace else None,
    )


def proxy_variables() -> list[str]:
    """Return the names, in capitals, of the environment's variables that name a proxy."""
    named = getproxies_environment()
    return [f"{scheme}_proxy".upper() for scheme in ("http", "https") if named.get(scheme)]


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
