"""A server as a process: its port, its settings as variables, the wait until it is ready."""

from __future__ import annotations

import http.client
import random
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from http import HTTPStatus

READY_WITHIN = 20.0  # seconds
_LOOK = 0.005  # seconds between two looks whether it is
# Below what systems hand out to clients: a port that is to be used again after its server
# was down is not taken meanwhile.
_PORTS = range(20_000, 32_000)


class NotReady(Exception):
    """A server ended, or took too long, before it was ready."""


def free_port() -> int:
    """Return a port that nobody listens on, and that no client will get by chance."""
    for port in random.sample(_PORTS, k=100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no port is free")


def variable(key: str) -> str:
    """Return the environment variable of a setting: `agent.url` is `AK_AGENT__URL`."""
    return f"AK_{key.replace('.', '__').upper()}"


def wait_until_ready(port: int, is_running: Callable[[], bool] = lambda: True) -> None:
    """Return once the server on *port* says that it is ready; raise `NotReady` if it never does."""
    until = time.monotonic() + READY_WITHIN
    while not _is_ready(port):
        if not is_running() or time.monotonic() > until:
            raise NotReady(f"the server on port {port} did not start")
        time.sleep(_LOOK)


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
