"""
The Graph API and the agent, as fast as they can be: they answer at once, late, or never.

Both live in one process of their own and write down what arrived and when.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from qa.benchmarks import cores
from qa.benchmarks.dialogue import Dialogue, Held, hold
from qa.benchmarks.journal import Arrival, Behaviour, Journal, What
from qa.benchmarks.protocols import Agent, Graph


class Peers:
    """The running peers, as others see them."""

    def __init__(self, line: Connection, ports: tuple[int, int]) -> None:
        self._line = line
        self.graph_url, self.agent_url = (f"http://127.0.0.1:{port}" for port in ports)

    def become(self, behaviour: Behaviour) -> None:
        """Answer like this from now on, and forget what arrived."""
        self._ask(behaviour)

    def arrivals(self) -> list[Arrival]:
        """Return what arrived since `become`."""
        arrived: list[Arrival] = self._ask(None)
        return arrived

    def hold(self, dialogue: Dialogue) -> Held:
        """Return what came of *dialogue*; raises what `dialogue.hold` raises."""
        held: Held = self._ask(dialogue)
        return held

    def wait_for(self, what: What, people: int, within: float) -> dict[str, float]:
        """Return when *what* first came for each of *people*; `RuntimeError` if it does not."""
        firsts: dict[str, float] = self._ask(_Expected(what, people, within))
        return firsts

    def _ask(self, wish: object) -> Any:  # noqa: ANN401 - what was wished decides
        self._line.send(wish)
        answer = self._line.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


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


@dataclass(frozen=True, slots=True)
class _Expected:
    """That *what* comes for so many *people* in so many seconds."""

    what: What
    people: int
    within: float


def _serve(line: Connection) -> None:
    cores.pin(cores.MEASURING)
    uvloop.run(_listen(line))


async def _listen(line: Connection) -> None:
    journal = Journal()
    ports = [await _open(lambda: Graph(journal)), await _open(lambda: Agent(journal))]
    line.send(tuple(ports))
    with suppress(EOFError):
        while True:
            wish = await asyncio.to_thread(line.recv)
            line.send(await _granted(wish, journal))


async def _open(protocol: Callable[[], asyncio.Protocol]) -> int:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=4096)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _granted(wish: object, journal: Journal) -> object:
    """Do what is wished and return what comes of it, an error too."""
    try:
        match wish:
            case Behaviour():
                journal.behaviour, journal.arrivals = wish, []
            case Dialogue():
                return await hold(wish, journal)
            case _Expected():
                return await _wait_for(wish, journal)
    except Exception as exc:  # noqa: BLE001 - it goes to who wished
        return exc
    return journal.arrivals


async def _wait_for(expected: _Expected, journal: Journal) -> dict[str, float]:
    until = time.perf_counter() + expected.within
    while len(firsts := journal.firsts(expected.what)) < expected.people:
        if time.perf_counter() > until:
            raise RuntimeError(
                f"{expected.what} came for {len(firsts)} people within {expected.within:g} s,"
                f" not {expected.people}"
            )
        await asyncio.sleep(0.1)
    return firsts
