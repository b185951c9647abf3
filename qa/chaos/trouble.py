"""Everything that goes wrong, at moments and in an order that chance decides."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from instagram_simulator import Fault, FaultKind, Simulator
from qa.chaos.replica import Replica
from qa.chaos.stores import Store

Strike: TypeAlias = Callable[[random.Random], Coroutine[None, None, None]]

LEASE = 5.0  # seconds, the least that the service accepts
STALL = (LEASE + 1, LEASE + 2)  # seconds: somebody else has taken over by then
MAX_AT_ONCE = 6  # times that one fault strikes

# On their way to the service, all the time: how probable, and how many seconds late.
_ON_THE_WAY = (
    (FaultKind.DUPLICATE, 0.05, 0.0),
    (FaultKind.REORDERED, 0.03, 1.0),
    (FaultKind.DELAYED, 0.03, 3.0),
    (FaultKind.HELD, 0.005, 0.0),
)
# In the Graph API, now and then: what it hits, how long it takes.
_IN_THE_GRAPH = (
    Fault(FaultKind.SERVER_ERROR),
    Fault(FaultKind.TEMPORARY),
    Fault(FaultKind.RATE_LIMITED, times=1),
    Fault(FaultKind.APP_LIMITED, times=1),
    Fault(FaultKind.DROPPED),
    Fault(FaultKind.HANG, times=2),
    Fault(FaultKind.SLOW, seconds=2.0),
    Fault(FaultKind.SENT_BUT_ERROR),
    Fault(FaultKind.SENT_BUT_500),
    Fault(FaultKind.SENT_BUT_DROPPED),
    Fault(FaultKind.SENT_BUT_HANG, times=2),
    Fault(FaultKind.SERVER_ERROR, on="read"),
    Fault(FaultKind.DROPPED, on="read"),
    Fault(FaultKind.SERVER_ERROR, on="action"),
    Fault(FaultKind.HANG, on="action", times=2),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two troubles of a sort, on average."""

    process: float = 3.0
    graph: float = 0.7
    store: float = 10.0
    echo: float = 4.0


class Trouble:
    """Makes trouble for *replicas*, their *store* and their Meta while it lasts; counts it."""

    def __init__(
        self, meta: Simulator, replicas: Sequence[Replica], store: Store, pace: Pace, seed: int
    ) -> None:
        self.count: Counter[str] = Counter()
        self._meta = meta
        self._replicas = replicas
        self._store = store
        self._pace = pace
        self._seed = seed
        self._stalling: set[Replica] = set()
        self._faults: dict[int, int] = {}

    async def last(self, seconds: float) -> None:
        """Make trouble for *seconds*, then put everything right."""
        for kind, probability, late in _ON_THE_WAY:
            self._meta.fail(Fault(kind, probability=probability, seconds=late))
        sorts = (
            ("process", self._pace.process, self._hit_process),
            ("graph", self._pace.graph, self._hit_graph),
            ("store", self._pace.store, self._hit_store),
            ("echo", self._pace.echo, self._turn_echoes),
        )
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for sort, pace, strike in sorts:
                group.create_task(self._now_and_then(sort, pace, strike, over))
            await asyncio.sleep(seconds)
            over.set()
        self._heal()

    async def _now_and_then(
        self,
        sort: str,
        pace: float,
        strike: Strike,
        over: asyncio.Event,
    ) -> None:
        """Strike at random moments until it is *over*; return when nothing is out of order."""
        chance = random.Random(f"{sort}-{self._seed}")
        async with asyncio.TaskGroup() as strikes:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), chance.uniform(0.3, 1.7) * pace)
                    return
                strikes.create_task(strike(chance))

    async def _hit_process(self, chance: random.Random) -> None:
        replica = chance.choice(self._replicas)
        how = chance.choices(("kills", "stops", "terms"), (40, 35, 25))[0]
        seconds = chance.uniform(*STALL)
        if replica in self._stalling:
            return
        self.count[how] += 1
        if how == "stops":
            self._stalling.add(replica)
            try:
                await replica.stall(seconds)
            finally:
                self._stalling.discard(replica)
        else:
            replica.send(signal.SIGKILL if how == "kills" else signal.SIGTERM)

    async def _hit_graph(self, chance: random.Random) -> None:
        """Let a fault strike a few of the next calls; half of them, so that there is no pattern."""
        kind = chance.choice(_IN_THE_GRAPH)
        times = chance.randint(1, kind.times or MAX_AT_ONCE)
        fault = Fault(kind.kind, times, 0.5, kind.on, kind.seconds)
        self._faults[self._meta.fail(fault)] = times

    async def _hit_store(self, chance: random.Random) -> None:
        self.count["store"] += 1
        await self._store.fail(chance)

    async def _turn_echoes(self, _chance: random.Random) -> None:
        self._meta.switch(echo_first=not self._meta.behaviour.echo_first)

    def _heal(self) -> None:
        left = self._meta.active_faults()
        unused = {each["number"]: each["left"] for each in left}
        struck = (times - unused.get(number, 0) for number, times in self._faults.items())
        self.count["faults"] += sum(struck)
        self._meta.heal()
