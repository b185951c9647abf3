"""Real stores, SQLite's and PostgreSQL's, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import time_ns
from typing import Any, cast

from sqlalchemy import Connection

from ak_instagram.conversation.turn import turn_id
from ak_instagram.meta.events import Event, Kind
from ak_instagram.store.database import Clock, Database, T, Tx, Work, WorkerIdentity
from ak_instagram.store.postgres.engine import open_postgres
from ak_instagram.store.sqlite.engine import open_sqlite
from ak_instagram.store.store import Store
from ak_instagram.store.values import Claim, EventStatus, Piece, TurnResult
from ak_instagram.store.verbs import steps
from tests.support.fakes import FakeClock

START = 1_800_000_000_000
LEASE = 30_000
DAY = 86_400_000
PAUSE = 12 * 3_600_000


@dataclass
class Shared:
    """*database*, for stores that stand for several processes."""

    database: Database
    is_shared: bool = True

    @property
    def clock(self) -> Clock:
        return self.database.clock

    def on_notify(self, wake: Callable[[], None]) -> None:
        self.database.on_notify(wake)

    def run(self, work: Work[T], *, urgent: bool = False) -> Awaitable[T]:
        return self.database.run(work, urgent=urgent)


def worker(
    owner: str = "one",
    *,
    debounce: int = 0,
    lines: int = 0,
    automatic_texts: tuple[str, ...] = (),
    awaits: bool = False,
    **rules: Any,
) -> WorkerIdentity:
    """
    A process run that is called *owner*, with further *rules* of `WorkerIdentity`.

    It *awaits* answers that its agent posts.
    """
    names = turn_id if awaits else None
    return WorkerIdentity(owner, LEASE, debounce, PAUSE, automatic_texts, lines, names, **rules)


def tx_on(connection: object) -> Tx:
    """A transaction on what stands for a connection, as far as the test's verbs use one."""
    return Tx(cast(Connection, connection), 0, worker())


@dataclass
class Bench:
    """One database, and stores on it as several processes would have them."""

    url: str
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    database: Any = None

    async def open(self, *, busy_timeout: float = 2.0) -> None:
        opened = (
            open_sqlite(self.url, self.clock, busy_timeout)
            if self.url.startswith("sqlite")
            else open_postgres(self.url, self.clock)
        )
        self.database = Shared(await self.stack.enter_async_context(opened))

    def store(
        self,
        owner: str = "one",
        *,
        debounce: int = 0,
        lines: int = 0,
        automatic_texts: tuple[str, ...] = (),
        awaits: bool = False,
        **rules: Any,
    ) -> Store:
        identity = worker(
            owner,
            debounce=debounce,
            lines=lines,
            automatic_texts=automatic_texts,
            awaits=awaits,
            **rules,
        )
        return Store(self.database, identity)

    async def run(self, verb: Callable[..., T], *arguments: object) -> T:
        """Return what *verb* returns, in a transaction of the store `one`."""
        result: T = await self.database.run(
            lambda connection, now: verb(Tx(connection, now, worker()), *arguments)
        )
        return result

    async def query_nothing(self, sql: str) -> None:
        await self.database.run(lambda connection, _now: connection.exec_driver_sql(sql))

    async def query(self, sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = await self.database.run(
            lambda connection, _now: [tuple(row) for row in connection.exec_driver_sql(sql)]
        )
        return rows

    async def answer_by_hand(
        self, store: Store, said: str = "I am Ann", contact: str = "anna", *, after: int = 5000
    ) -> int:
        """Answer from the app *after* so many ms; return until when the bot is silent."""
        self.clock.move(after)
        mid = f"by-hand-{self.clock.now}"
        await store.put([echo(mid, said, contact)._replace(at=self.clock.now)])
        return self.clock.now + PAUSE

    async def piece_statuses(self) -> list[str]:
        """Return the statuses of all pieces, in the order in which they were planned."""
        return [status for (status,) in await self.query("SELECT status FROM outbox ORDER BY id")]


def arrival(
    mid: str, contact: str = "anna", at: int = START, *, kind: str = "message", **changes: Any
) -> Event:
    """A message that waits for the worker."""
    values: dict[str, Any] = {
        "account": "shop",
        "contact": contact,
        "kind": Kind(kind),
        "key": f"message:{mid}",
        "mid": mid,
        "at": at,
        "payload": f'{{"message":{{"mid":"{mid}"}}}}',
    }
    return Event(**(values | changes))


def arrival_now(mid: str, contact: str = "anna") -> Event:
    """A message of this moment, for a store whose own clock counts."""
    return arrival(mid, contact, at=time_ns() // 1_000_000)


def unsend(mid: str, contact: str = "anna", at: int = START) -> Event:
    """The message *mid* and its edits are taken back."""
    return arrival(
        mid,
        contact,
        at,
        kind="unsend",
        key=f"unsend:{mid}",
        payload="{}",
        unsends=f"message:{mid}",
        unsends_edits=tuple(f"edit:{mid}:{count}" for count in range(1, 4)),
    )


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


def answered(claim: Claim, *texts: str, turn: str = "turn", **changes: Any) -> TurnResult:
    """All of the claim's events are answered with *texts*."""
    return TurnResult(
        turn=turn,
        events=dict.fromkeys((event.id for event in claim.events), EventStatus.ANSWERED),
        messages=tuple({"text": text} for text in texts),
        **changes,
    )


def mids(claim: Claim) -> list[str | None]:
    return [event.mid for event in claim.events]


async def claim_one(store: Store) -> Claim:
    """The one conversation that is due."""
    [claim] = await store.claim(10)
    return claim


async def sending(
    store: Store,
    *texts: str,
    mid: str = "m1",
    contact: str = "anna",
    at: int = START,
    turn: str = "turn",
) -> Claim:
    """Have a message answered with *texts*; return the claim whose first piece is on its way."""
    await store.put([arrival(mid, contact, at)])
    claim = await claim_one(store)
    step = await store.run(steps.settle, claim, answered(claim, *texts, turn=turn))
    assert step is not None
    return step


def piece_of(claim: Claim | None) -> Piece:
    """Return the piece that is to be delivered next."""
    assert claim is not None
    assert claim.piece is not None
    return claim.piece


async def until_waiting(store: Store) -> None:
    """Return once its worker waits for work."""
    while not store.dispatcher.room:  # noqa: ASYNC110 - nobody is told that a worker waits
        await asyncio.sleep(0.001)


async def claim_none(store: Store) -> None:
    """See that the worker finds nothing that is due when it looks."""
    looking = asyncio.create_task(store.claim(10))
    waiting = asyncio.create_task(until_waiting(store))
    await asyncio.wait((looking, waiting), return_when=asyncio.FIRST_COMPLETED)
    assert not looking.done() or looking.result() == []
    await stop(looking)
    await stop(waiting)


async def stop(task: asyncio.Task[Any]) -> None:
    """Cancel *task* and see it end, so that nothing of it outlives the test."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
