"""Replicas on one PostgreSQL find lost messages together: each once, and in turns."""

from __future__ import annotations

import asyncio
import time

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from qa.support import postgres
from qa.support.service import Service
from tests.support.forking import forked
from tests.support.stage import open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

TURN = 1.1  # seconds until the next look, and until a listed time is past


@pytest.fixture(scope="module")
def server():
    server = postgres.launch()
    yield server
    postgres.discard(server)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_stage(server, tmp_path_factory):
    """A stage whose service shares its store with another one."""
    settings = {"store__url": server.database(), "instagram__sweep": "1"}
    async with open_stage(tmp_path_factory.mktemp("one"), **settings) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def other(running_stage, tmp_path_factory):
    """Another process on the same store, that no webhook goes to."""
    names = {"server.host", "server.port"}
    shared = {key: it for key, it in running_stage.service.settings.items() if key not in names}
    service = Service(tmp_path_factory.mktemp("other"), shared, start=forked)
    await service.start()
    yield service
    await service.stop()


def rounds(stage) -> int:
    """Return how many pages of conversations were asked for, one a round."""
    calls = [each.data for each in stage.meta.journal.known() if each.kind == "graph"]
    pages = [each for each in calls if each["path"].endswith("/conversations")]
    return sum(each["query"].get("limit") == "20" for each in pages)


def found(*services: Service) -> int:
    lines = [line for service in services for line in service.logged()]
    return sum(line["messages"] for line in lines if line["event"] == "sweep.found")


async def test_each_lost_message_is_answered_once_and_replicas_look_in_turns(stage, other):
    await asyncio.sleep(2 * TURN)  # both have been up for more than a second
    seen, began = rounds(stage), time.monotonic()
    people = [stage.person() for _ in range(3)]
    stage.meta.fail(Fault(FaultKind.LOST, times=3))
    for igsid in people:
        stage.meta.phones.say(igsid, "Does anybody hear me?")
    for igsid in people:
        await stage.until_answered(igsid)
    await asyncio.sleep(2 * TURN)  # the other one has had its look, too
    made, took = rounds(stage) - seen, time.monotonic() - began

    assert [stage.answers(igsid) for igsid in people] == [["You said: Does anybody hear me?"]] * 3
    assert found(stage.service, other) == 3
    assert 2 <= made <= took + 2, "one round a second, whichever of the two makes it"


async def test_the_command_puts_what_it_finds_into_the_store_that_all_share(stage, other):
    other.stall()
    stage.service.stall()
    try:
        mia = stage.person()
        stage.meta.fail(Fault(FaultKind.LOST, times=1))
        stage.meta.phones.say(mia, "Look for me")
        await asyncio.sleep(TURN)  # so long its webhook may take
        code, output = await stage.service.command("sweep")
        again, nothing = await stage.service.command("sweep")
    finally:
        other.go_on()
        stage.service.go_on()
    await stage.until_answered(mia)

    assert (code, again) == (0, 0), output
    assert ": 1 found" in output
    assert ": 0 found" in nothing
    assert stage.answers(mia) == ["You said: Look for me"]
