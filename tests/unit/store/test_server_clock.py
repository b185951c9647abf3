"""The database's time is believed only if asking for it was quick."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ak_instagram.store.postgres.engine import CLOCK_DOUBT, CLOCK_TRIES, ServerClock


@dataclass
class SteadyClock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Answer:
    value: float

    def scalar_one(self) -> float:
        return self.value


@dataclass
class Server:
    """Its clock shows the steady clock's time; the asker is stopped for *stalls*, one an answer."""

    steady: SteadyClock
    stalls: list[float]

    async def execute(self, _statement: object) -> Answer:
        answer = Answer(self.steady.seconds * 1000)
        self.steady.seconds += self.stalls.pop(0)
        return answer


async def test_a_process_that_stalls_while_it_asks_asks_again():
    steady = SteadyClock()
    clock = ServerClock(steady)

    await clock.read(Server(steady, [6.5, 0.002]))

    assert abs(clock() - steady.seconds * 1000) <= 1


async def test_a_server_that_always_takes_long_is_not_believed():
    steady = SteadyClock()
    clock = ServerClock(steady)

    with pytest.raises(TimeoutError):
        await clock.read(Server(steady, [CLOCK_DOUBT + 0.1] * CLOCK_TRIES))

    assert clock.is_stale
