"""A campaign ends in time, whatever is left by then, and says what that is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest

from instagram_simulator import Simulator
from qa.chaos.campaign import Scene, until_quiet
from qa.chaos.moody_agent import MoodyAgent
from qa.chaos.progress import describe, telling
from qa.chaos.record import Question, Record
from qa.chaos.stores import Store

MIA = "mia"


@dataclass
class Settling:
    """A Meta whose webhooks are on their way until it *is_settled*."""

    is_settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def settled(self, within: float) -> None:
        await asyncio.wait_for(self.is_settled.wait(), within)


class Busy:
    """A store with so much *waiting*, whatever is done about it."""

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting

    async def work(self) -> int:
        return self.waiting


@pytest.fixture
def record():
    """Mia has said two things; the first was accepted, asked and answered."""
    record = Record()
    for name in ("p0-0", "p0-1"):
        record.say(MIA, name)
    record.post(["p0-0"])
    record.accept(["p0-0"])
    record.asked.append(Question("key", ("p0-0",)))
    return record


def scene(record: Record, meta: Settling, waiting: int) -> Scene:
    return Scene(
        cast("Simulator", meta), cast("MoodyAgent", None), (), cast("Store", Busy(waiting)), record
    )


async def test_what_nobody_accepted_is_left_like_what_waits_in_the_store(record):
    assert await scene(record, Settling(), waiting=3).left() == 1 + 3


@pytest.mark.parametrize("within", [0.01, -1.0], ids=["runs-out", "never-was"])
@pytest.mark.parametrize("is_settled", [True, False], ids=["work-remains", "webhooks-remain"])
async def test_when_there_is_no_peace_left_the_rest_is_counted(record, is_settled, within):
    meta = Settling()
    if is_settled:
        meta.is_settled.set()

    async with asyncio.timeout(5):
        assert await until_quiet(scene(record, meta, waiting=3), within) == 1 + 3


def test_progress_is_what_was_written_asked_and_answered(record):
    arrived = {MIA: ["Part 1 of 1 of answer 1, to p0-0"]}

    assert describe(record, arrived) == "2 messages written, 1 asked, 1 answered, 1 left"


async def test_progress_is_told_until_the_end():
    told, heard = [], asyncio.Event()

    def tell(line: str) -> None:
        told.append(line)
        heard.set()

    async with asyncio.timeout(5), telling(lambda: "half of it", tell, every=0.001):
        await heard.wait()
    heard.clear()
    await asyncio.sleep(0)

    assert set(told) == {"half of it"}
    assert not heard.is_set()
