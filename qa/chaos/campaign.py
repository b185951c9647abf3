"""One campaign: a store, its processes, a Meta and an agent; trouble, peace, and the count."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from instagram_simulator import Retries, Simulator
from qa.chaos.ingress import Ingress
from qa.chaos.moody_agent import MoodyAgent
from qa.chaos.names import names_in
from qa.chaos.people import People
from qa.chaos.progress import describe, telling
from qa.chaos.record import Record
from qa.chaos.replica import Replica
from qa.chaos.stores import Store, open_store
from qa.chaos.trouble import LEASE, Pace, Trouble
from qa.chaos.verdict import Violation, violations
from qa.support.agent import serving_agent

VERIFY_TOKEN = "chaos-verify-token"
AGENT_TIMEOUT = 3.0  # seconds
_LOOK = 0.3  # seconds between two looks at what is left to do
# For as long as a campaign can last, as Meta does for a day and a half.
_RETRIES = Retries(waits=(0.1, 0.3, 0.6, *(1.0,) * 600))


@dataclass(frozen=True, slots=True)
class Effort:
    """
    How much of it: *messages* by *people* in *seconds* of trouble at a *pace*.

    Then everything works again, and there is peace until all is done, or until *limit*
    seconds have passed since the beginning: what is not done by then is left.
    """

    messages: int = 2000
    people: int = 300
    seconds: float = 40.0
    limit: float = 170.0  # with the end, three minutes; a piece that failed five times waits 81 s
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign came to; *left* is the work that was never done."""

    seed: int
    store: str
    accepted: int
    conversations: int
    trouble: Counter[str]
    asked: int
    asked_again: int
    pieces: int
    left: int
    violations: Sequence[Violation]
    seconds: float
    healed_in: float

    @property
    def kept(self) -> bool:
        """Whether every promise was."""
        return not self.violations and not self.left


@dataclass(frozen=True, slots=True)
class Scene:
    """All that takes part."""

    meta: Simulator
    agent: MoodyAgent
    replicas: Sequence[Replica]
    store: Store
    record: Record

    async def left(self) -> int:
        """Return how much is still to do: what nobody accepted, and what waits in the store."""
        written = sum(map(len, self.record.said.values()))
        return written - len(self.record.accepted) + await self.store.work()


def _in_silence(_line: str) -> None:
    """Tell nobody."""


async def run(
    name: str, seed: int, effort: Effort, folder: Path, tell: Callable[[str], None] = _in_silence
) -> Outcome:
    """
    Return what came of a campaign against the store called *name*; logs are in *folder*.

    Meanwhile, *tell* hears how far it is.
    """
    began = time.monotonic()
    async with _open_scene(name, seed, folder) as scene:
        people = People(scene.meta, scene.record, effort.people, seed)
        trouble = Trouble(scene.meta, scene.replicas, scene.store, effort.pace, seed)
        async with telling(lambda: describe(scene.record, people.arrived()), tell):
            writing = people.write(effort.messages, effort.seconds)
            await asyncio.gather(writing, trouble.last(effort.seconds))
            scene.agent.heal()
            healing = time.monotonic()
            left = await until_quiet(scene, began + effort.limit - healing)
        ended = time.monotonic()
        trouble.count["faults"] += scene.agent.faults.total()
        cut = frozenset(name for said in await scene.store.given_up() for name in names_in(said))
        found = violations(scene.record, people.arrived(), cut)
        seconds = ended - began, ended - healing
        return _outcome(seed, scene, people, trouble.count, left, found, *seconds)


@asynccontextmanager
async def _open_scene(name: str, seed: int, folder: Path) -> AsyncIterator[Scene]:
    record = Record()
    async with AsyncExitStack() as stack:
        meta = await stack.enter_async_context(Simulator(retries=_RETRIES, seed=seed))
        agent = await stack.enter_async_context(serving_agent(MoodyAgent(record, seed)))
        store = await stack.enter_async_context(open_store(name, folder))
        settings = _settings(meta, agent, store)
        replicas = [Replica(folder, number, settings) for number in range(store.replicas)]
        running = [stack.enter_async_context(replica.running()) for replica in replicas]
        await asyncio.gather(*running)
        ports = [replica.port for replica in replicas]
        ingress = await stack.enter_async_context(Ingress(record, ports, seed).listening())
        await meta.subscribe(ingress.url, VERIFY_TOKEN)
        yield Scene(meta, agent, replicas, store, record)


def _settings(meta: Simulator, agent: MoodyAgent, store: Store) -> dict[str, str]:
    """Return settings with which nobody waits long and nothing is given up."""
    return {
        "store.url": store.url,
        "instagram.verify_token": VERIFY_TOKEN,
        "instagram.access_token": meta.account.access_token,
        "instagram.app_secret": meta.account.app_secret,
        "instagram.graph_url": meta.url,
        "agent.adapter": "http",
        "agent.url": agent.url,
        "agent.reply_format": "events",
        "agent.outcomes": json.dumps({"end": "next"}),
        "agent.timeout": str(AGENT_TIMEOUT),
        "conversation.lease": str(LEASE),
        "conversation.attempts": "1000",
        "sender.attempts": "1000",
        "sender.rate": "1000",
        "server.drain": "3",
    }


async def until_quiet(scene: Scene, within: float) -> int:
    """Wait until every webhook is accepted and nothing is left to do; return what is left."""
    quiet = 0  # looks in a row: somebody who was cut off may still be about to send
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            while quiet < 2:
                await scene.meta.settled(within)
                await asyncio.sleep(_LOOK)  # no process tells when it is done
                quiet = 0 if await scene.left() else quiet + 1
    return await scene.left()


def _outcome(
    seed: int,
    scene: Scene,
    people: People,
    trouble: Counter[str],
    left: int,
    found: Sequence[Violation],
    seconds: float,
    healed_in: float,
) -> Outcome:
    record, arrived = scene.record, people.arrived()
    return Outcome(
        seed=seed,
        store=scene.store.name,
        accepted=len(record.accepted),
        conversations=len(record.said),
        trouble=trouble,
        asked=len(record.asked),
        asked_again=len(record.asked) - len({question.key for question in record.asked}),
        pieces=sum(map(len, arrived.values())),
        left=left,
        violations=found,
        seconds=seconds,
        healed_in=healed_in,
    )
