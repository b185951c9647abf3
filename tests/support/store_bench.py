"""Real stores, SQLite's and PostgreSQL's, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from ak_instagram.meta.events import Event, Kind
from ak_instagram.store.postgres.engine import open_postgres
from ak_instagram.store.sqlite.engine import open_sqlite
from ak_instagram.store.store import Store
from ak_instagram.store.values import EventStatus, TurnResult
from ak_instagram.store.verbs.claims import Leases
from ak_instagram.store.verbs.inbox import Inbox

START = 1_800_000_000_000
LEASE = 30_000
DAY = 86_400_000
PAUSE = 12 * 3_600_000


@dataclass
class FakeClock:
    """A clock that stands still unless it is moved; it stands for the server's too."""

    now: int = START
    is_stale: bool = False

    def __call__(self) -> int:
        return self.now

    def move(self, milliseconds: int) -> None:
        self.now += milliseconds


@dataclass
class Bench:
    """One database, and stores on it as several processes would have them."""

    url: str
    clock: FakeClock = field(default_factory=FakeClock)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    database: object = None

    async def open(self, *, busy_timeout: float = 2.0) -> None:
        opened = (
            open_sqlite(self.url, self.clock, busy_timeout)
            if self.url.startswith("sqlite")
            else open_postgres(self.url, self.clock)
        )
        self.database = await self.stack.enter_async_context(opened)
        self.database.is_shared = True  # by stores that stand for several processes

    def store(self, owner: str = "one", *, debounce: int = 0, lines: int = 0) -> Store:
        return Store(self.database, Inbox(debounce, PAUSE), Leases(owner, LEASE, lines))

    async def query_nothing(self, sql: str) -> None:
        await self.database.run(lambda connection, _now: connection.exec_driver_sql(sql))

    async def query(self, sql: str) -> list[tuple]:
        return await self.database.run(
            lambda connection, _now: [tuple(row) for row in connection.exec_driver_sql(sql)]
        )


def arrival(
    mid: str, contact: str = "anna", at: int = START, kind: str = "message", **changes: object
) -> Event:
    """A message that waits for the worker."""
    values = {
        "account": "shop",
        "contact": contact,
        "kind": Kind(kind),
        "key": f"message:{mid}",
        "mid": mid,
        "at": at,
        "payload": f'{{"message":{{"mid":"{mid}"}}}}',
    }
    return Event(**(values | changes))


def echo(mid: str, said: str, contact: str = "anna") -> Event:
    """What the account said, coming back."""
    return arrival(
        mid,
        contact,
        kind="echo",
        key=f"echo:{mid}",
        payload="",
        echo_text=said,
    )


def answered(claim, *texts: str, turn: str = "turn", **changes: object) -> TurnResult:
    """All of the claim's events are answered with *texts*."""
    return TurnResult(
        turn=turn,
        events=dict.fromkeys((event.id for event in claim.events), EventStatus.ANSWERED),
        messages=tuple({"text": text} for text in texts),
        **changes,
    )


def mids(claim) -> list[str]:
    return [event.mid for event in claim.events]


async def claim_one(store: Store):
    """The one conversation that is due."""
    [claim] = await store.claim(10)
    return claim


async def until_waiting(store: Store) -> None:
    """Return once its worker waits for work."""
    while not store._dispatcher.room:  # noqa: ASYNC110 - nobody is told that a worker waits
        await asyncio.sleep(0.001)


async def stop(task: asyncio.Task) -> None:
    """Cancel *task* and see it end, so that nothing of it outlives the test."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
