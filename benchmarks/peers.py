"""
The Graph API and the agent, as fast as they can be: they answer at once, late, or never.

Both live in one process of their own and write down what arrived and when.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TypeAlias

import uvloop

from . import cores
from .connection import without_delay
from .http1 import ok, take_message
from .webhooks import ACCOUNT

What: TypeAlias = str  # `agent`, `message`, or a sender action

_PROFILE = ok(json.dumps({"user_id": ACCOUNT, "id": ACCOUNT, "username": "shop"}).encode())
_DONE = ok(b'{"recipient_id":"1"}')
_REPLY = ok(b'{"reply":"Yes, it is."}')


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the peers answer: *hung* means never, *agent_takes* is in seconds."""

    hung: bool = False
    agent_takes: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that came in: what, about whom, and when (`time.perf_counter`)."""

    what: What
    who: str
    at: float


class Peers:
    """The running peers, as others see them."""

    def __init__(self, line: Connection, ports: tuple[int, int]) -> None:
        self._line = line
        self.graph_url, self.agent_url = (f"http://127.0.0.1:{port}" for port in ports)

    def become(self, behaviour: Behaviour) -> None:
        """Answer like this from now on, and forget what arrived."""
        self._line.send(behaviour)
        self._line.recv()

    def arrivals(self) -> list[Arrival]:
        """Return what arrived since `become`."""
        self._line.send(None)
        arrived: list[Arrival] = self._line.recv()
        return arrived

    def wait_for(self, what: What, people: int, within: float) -> dict[str, float]:
        """Return when *what* first came for each of *people*; `RuntimeError` if it does not."""
        until = time.perf_counter() + within
        while time.perf_counter() < until:
            first = {it.who: it.at for it in reversed(self.arrivals()) if it.what == what}
            if len(first) >= people:
                return first
            time.sleep(0.1)
        raise RuntimeError(f"{what} came for {len(first)} people within {within:g} s, not {people}")


@contextmanager
def open_peers() -> Iterator[Peers]:
    """Run the peers while the block does."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Peers(ours, ours.recv())
    finally:
        process.kill()
        process.join()


# --- in the peers' process -----------------------------------------------------


@dataclass(slots=True)
class Journal:
    """What both peers share."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    arrivals: list[Arrival] = field(default_factory=list)


class Graph(asyncio.Protocol):
    """A connection to the Graph API."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer without waiting for more to say."""
        self._transport = without_delay(transport)

    def data_received(self, data: bytes) -> None:
        """Take requests and answer them."""
        self._buffer += data
        while (message := take_message(self._buffer)) is not None:
            self._take(*message)

    def _take(self, head: bytes, body: bytes) -> None:
        at = time.perf_counter()
        call = json.loads(body or b"{}")
        who = call.get("recipient", {}).get("id", "")
        what = call.get("sender_action") or ("message" if "message" in call else "other")
        self._journal.arrivals.append(Arrival(what, who, at))
        if not self._journal.behaviour.hung:
            self._transport.write(self._answer(head, what, who, at))

    def _answer(self, head: bytes, what: What, who: str, at: float) -> bytes:
        if head.startswith(b"GET"):
            return _PROFILE
        if what == "message":
            return ok(json.dumps({"recipient_id": who, "message_id": f"m{who}{at}"}).encode())
        return _DONE


class Agent(asyncio.Protocol):
    """A connection to the agent."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer without waiting for more to say."""
        self._transport = without_delay(transport)

    def data_received(self, data: bytes) -> None:
        """Take requests and answer them."""
        self._buffer += data
        while (message := take_message(self._buffer)) is not None:
            self._take(message[1])

    def _take(self, body: bytes) -> None:
        session = json.loads(body)["session"]
        self._journal.arrivals.append(Arrival("agent", session, time.perf_counter()))
        behaviour = self._journal.behaviour
        if behaviour.hung:
            return
        if behaviour.agent_takes:
            loop = asyncio.get_running_loop()
            loop.call_later(behaviour.agent_takes, self._transport.write, _REPLY)
        else:
            self._transport.write(_REPLY)


def _serve(line: Connection) -> None:
    cores.pin(cores.MEASURING)
    uvloop.run(_listen(line))


async def _listen(line: Connection) -> None:
    journal = Journal()
    ports = [await _open(lambda: Graph(journal)), await _open(lambda: Agent(journal))]
    line.send(tuple(ports))
    await asyncio.to_thread(_obey, line, journal)


async def _open(protocol: Callable[[], asyncio.Protocol]) -> int:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=4096)
    port: int = server.sockets[0].getsockname()[1]
    return port


def _obey(line: Connection, journal: Journal) -> None:
    """Do what is wished over *line* until it is closed."""
    with suppress(EOFError):
        while True:
            wish = line.recv()
            if wish is None:
                line.send(journal.arrivals)
            else:
                journal.behaviour, journal.arrivals = wish, []
                line.send(wish)
