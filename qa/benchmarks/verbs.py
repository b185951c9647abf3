"""
What the store's verbs take, on stores that are filled before.

Events come in alone or together: `put` is what their webhooks wait for. Then their conversations
are claimed and settled without an answer, which releases them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, fields
from multiprocessing import get_context
from statistics import fmean

import uvloop

from ak_instagram.meta.events import Event, Kind
from ak_instagram.store.database import WorkerIdentity
from ak_instagram.store.store import Store, open_store
from ak_instagram.store.values import MAX_CLAIMS, Claim, EventStatus, TurnResult
from ak_instagram.store.verbs import steps
from qa.benchmarks import cores
from qa.benchmarks.filling import people_in
from qa.benchmarks.webhooks import ACCOUNT, contact_of

ALONE = 4  # events one after another
TOGETHER = MAX_CLAIMS  # events of as many people, as from webhooks of the same moment
_LEASE = 30_000  # milliseconds
_MID_LENGTH = 164


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What to measure: the URLs of filled *stores* by how many events are in them.

    *rounds* samples are taken of each, the mean of so many *batches*.
    """

    stores: Mapping[int, str]
    rounds: int
    batches: int


@dataclass(frozen=True, slots=True)
class Cost:
    """
    What an event takes to be stored, and a conversation from claim to release, in µs.

    First alone, then of `TOGETHER` at once.
    """

    ack_alone: float
    claim_alone: float
    ack: float
    claim: float


def measure(plan: Plan) -> dict[int, list[Cost]]:
    """Return the samples of each store by how many events were in it."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, context, cores.pin, (cores.SUBJECT,)) as pool:
        return pool.submit(_run, plan).result()


def _run(plan: Plan) -> dict[int, list[Cost]]:
    return uvloop.run(_measure(plan))


async def _measure(plan: Plan) -> dict[int, list[Cost]]:
    costs: dict[int, list[Cost]] = {events: [] for events in plan.stores}
    async with AsyncExitStack() as stack:
        stores = {
            events: (await stack.enter_async_context(_open(url)), people_in(events))
            for events, url in plan.stores.items()
        }
        for store, people in stores.values():
            await _take(store, people)  # opens connections
        for _ in range(plan.rounds):
            for events, cost in (await _round(stores, plan.batches)).items():
                costs[events].append(cost)
    return costs


def _open(url: str) -> AbstractAsyncContextManager[Store]:
    return open_store(url, WorkerIdentity("benchmark", _LEASE))


async def _round(stores: Mapping[int, tuple[Store, int]], batches: int) -> dict[int, Cost]:
    """Return a sample of each store; they take turns by batches, so that moods are shared."""
    taken: dict[int, list[Cost]] = {events: [] for events in stores}
    for _ in range(batches):
        for events, (store, people) in stores.items():
            taken[events].append(await _take(store, people))
    return {events: _mean(costs) for events, costs in taken.items()}


def _mean(costs: Sequence[Cost]) -> Cost:
    return Cost(*(fmean(getattr(cost, each.name) for cost in costs) for each in fields(Cost)))


async def _take(store: Store, people: int) -> Cost:
    alone = [await _see_through(store, _arrivals(people, 1)) for _ in range(ALONE)]
    ack_alone, claim_alone = map(fmean, zip(*alone, strict=True))
    ack, claim = await _see_through(store, _arrivals(people, TOGETHER))
    return Cost(ack_alone, claim_alone, ack / TOGETHER, claim / TOGETHER)


async def _see_through(store: Store, arrivals: Sequence[Event]) -> tuple[float, float]:
    """Return the µs until *arrivals* were stored, and from then until all were released."""
    began = time.perf_counter()
    await store.put(arrivals)
    stored = time.perf_counter()
    claims = await store.claim(len(arrivals))
    await asyncio.gather(*(store.run(steps.settle, claim, _silence(claim)) for claim in claims))
    released = time.perf_counter()
    if len(claims) != len(arrivals):
        raise RuntimeError(f"{len(claims)} conversations were due, not {len(arrivals)}")
    return (stored - began) * 1e6, (released - stored) * 1e6


def _arrivals(people: int, count: int) -> list[Event]:
    return [_arrival(contact_of(person)) for person in random.sample(range(people), count)]


def _arrival(contact: str) -> Event:
    now = time.time_ns() // 1_000_000
    key = f"{now:012x}{random.randbytes(10).hex()}"
    mid = f"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE{key}".ljust(_MID_LENGTH, "Z")
    payload = (
        f'{{"sender":{{"id":"{contact}"}},"recipient":{{"id":"{ACCOUNT}"}},"timestamp":{now},'
        f'"message":{{"mid":"{mid}","text":"And would you send it?"}}}}'
    )
    return Event(ACCOUNT, contact, Kind.MESSAGE, key, mid, now, payload)


def _silence(claim: Claim) -> TurnResult:
    """Return the end of a turn in which the agent chose to say nothing."""
    ends = dict.fromkeys((event.id for event in claim.events), EventStatus.ANSWERED)
    return TurnResult(random.randbytes(16).hex(), ends)
