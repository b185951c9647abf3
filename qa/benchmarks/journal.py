"""What arrives at the Graph API and at the agent, and how both behave."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TypeAlias

What: TypeAlias = str  # `agent`, its `paragraph`, `message`, or a sender action


@dataclass(frozen=True, slots=True)
class Behaviour:
    """
    How the peers answer: *hung* means never, *agent_takes* is in seconds.

    An agent that *streams* writes a first paragraph and leaves the stream open.
    """

    hung: bool = False
    agent_takes: float = 0.0
    streams: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that came in: what, about whom, and when (`time.perf_counter`)."""

    what: What
    who: str
    at: float


@dataclass(slots=True)
class Journal:
    """What both peers share."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    arrivals: list[Arrival] = field(default_factory=list)
    _awaited: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    def note(self, what: What, who: str) -> Arrival:
        """Write down that *what* about *who* has just arrived."""
        arrival = Arrival(what, who, time.perf_counter())
        self.arrivals.append(arrival)
        if what == "message" and (awaited := self._awaited.pop(who, None)):
            awaited.set_result(None)
        return arrival

    def firsts(self, what: What) -> dict[str, float]:
        """Return when *what* first came for each person."""
        return {it.who: it.at for it in reversed(self.arrivals) if it.what == what}

    def next_piece(self, who: str) -> asyncio.Future[None]:
        """Return what is done when the next piece for *who* arrives."""
        piece = self._awaited[who] = asyncio.get_running_loop().create_future()
        return piece
