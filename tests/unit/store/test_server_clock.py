"""The database's time is believed only if asking for it was quick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ak_instagram.store.postgres.engine import CLOCK_DOUBT, CLOCK_TRIES, ServerClock
from tests.support.fakes import FakeSteadyClock


@dataclass
class Answer:
    value: float

    def scalar_one(self) -> float:
        return self.value


@dataclass
class Server:
    """Its clock shows the steady clock's time; the asker is stopped for *stalls*, one an answer."""

    steady: FakeSteadyClock
    stalls: list[float]

    async def execute(self, _statement: object) -> Answer:
        answer = Answer(self.steady.time * 1000)
        self.steady.time += self.stalls.pop(0)
        return answer


def connection(steady: FakeSteadyClock, *stalls: float) -> AsyncConnection:
    """Return a connection that can do no more than ask the server for its time."""
    return cast(AsyncConnection, Server(steady, list(stalls)))


async def test_a_process_that_stalls_while_it_asks_asks_again():
    steady = FakeSteadyClock(1000.0)
    clock = ServerClock(steady)

    await clock.read(connection(steady, 6.5, 0.002))

    assert abs(clock() - steady.time * 1000) <= 1


async def test_a_server_that_always_takes_long_is_not_believed():
    steady = FakeSteadyClock(1000.0)
    clock = ServerClock(steady)

    with pytest.raises(TimeoutError):
        await clock.read(connection(steady, *[CLOCK_DOUBT + 0.1] * CLOCK_TRIES))

    assert clock.is_stale
