"""Two processes on one PostgreSQL: they stall, the server restarts, and nobody notices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import aiohttp
import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from qa.support import postgres
from qa.support.agent import Hold, says, sends
from qa.support.service import Service
from tests.support.forking import forked
from tests.support.stage import Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEASE = 5  # seconds, the least that can be set
PATIENCE = LEASE + 20  # a send that was cut off, and its echo, have their time too
FIRST, SECOND = "First paragraph. " * 40, "Second paragraph. " * 40
ANSWER = [FIRST.strip(), SECOND.strip()]


@pytest.fixture(scope="module")
def server():
    server = postgres.launch()
    yield server
    postgres.discard(server)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_stage(server, tmp_path_factory):
    """A stage whose service shares its store with any number of others."""
    settings = {
        "store__url": server.database(),
        "conversation__lease": str(LEASE),
        "conversation__attempts": "1",
    }
    async with open_stage(tmp_path_factory.mktemp("one"), **settings) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def other(running_stage, tmp_path_factory):
    """Another process on the same store, that no webhook goes to."""
    shared = without_port(running_stage.service.settings)
    service = Service(tmp_path_factory.mktemp("other"), shared, start=forked)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
    assert Stage(running_stage.meta, running_stage.agent, service).leaks() == []


async def until_lost(service: Service, contact: str, after: int) -> None:
    """Return once *service* has noticed that it does not hold the conversation any more."""
    await service.until_logged(
        lambda line: line["event"] == "conversation.lease_lost" and line["contact"] == contact,
        after=after,
    )


async def test_a_process_that_stalls_past_its_lease_adds_nothing_when_it_comes_back(stage, other):
    mia, ben, cleo = stage.person(), stage.person(), stage.person()
    mine, cleos, service = Hold("Said by the dead"), Hold("Held all the while"), stage.service
    stage.agent.will(mine, says(f"{FIRST}\n\n{SECOND}"), cleos, says("Said by the living"))
    other.stall()  # so that the first two are the service's
    stage.meta.phones.say(mia, "Stalled while the agent answers")
    await stage.agent.until_asked(1)
    stage.meta.fail(Fault(FaultKind.SLOW, times=1, seconds=1))
    stage.meta.phones.say(ben, "Stalled while a piece is on its way")
    await stage.until_answered(ben)
    seen = len(service.lines)

    service.stall()
    other.go_on()
    try:
        stage.meta.deliveries.url = other.webhook
        stage.meta.phones.say(cleo, "Takes longer than a lease")
        cleos_lease_ends = asyncio.get_running_loop().time() + LEASE
        await stage.until_answered(mia, within=PATIENCE)
        await stage.until_answered(ben, 2, within=PATIENCE)
        mine.release()  # what it waited for is there when it comes back
    finally:
        stage.meta.deliveries.url = service.webhook
        service.go_on()
    await until_lost(service, mia, seen)
    await until_lost(service, ben, seen)
    # Nothing tells of a renewal; without one the lease would have ended by then.
    await asyncio.sleep(cleos_lease_ends + 0.5 - asyncio.get_running_loop().time())
    cleos.release()

    for person in (mia, ben, cleo):
        stage.meta.phones.say(person, "And now")
    for person, answers in ((mia, 2), (ben, 3), (cleo, 2)):
        await stage.until_answered(person, answers)
    assert stage.answers(mia) == ["Said by the living", "You said: And now"]
    assert stage.answers(ben) == [*ANSWER, "You said: And now"]
    assert stage.answers(cleo) == ["Held all the while", "You said: And now"]
    keys = [question.headers["Idempotency-Key"] for question in stage.agent.asked]
    assert len(keys) == 7
    assert len(set(keys)) == 6, "only Mia's first turn was asked twice"


async def test_a_server_that_restarts_makes_webhooks_503_and_turns_wait(stage, other, server):
    mia, ben = stage.person(), stage.person()
    hold = await stage.hold(mia, "Asked before the restart", "Nobody could note this")
    await stage.meta.settled()

    await asyncio.to_thread(server.stop, "immediate")
    try:
        stage.meta.phones.say(ben, "Said during the restart")
        await stage.meta.journal.until(lambda: 503 in statuses(stage, ben))
        readiness = await status_of(f"{stage.service.url}/readyz")
        hold.release()
        await until_either_drops_it(stage.service, other)
    finally:
        await asyncio.to_thread(server.start)
    await stage.until_answered(ben)
    await stage.until_answered(mia, within=PATIENCE)

    assert readiness == 503
    assert statuses(stage, ben)[-1] == 200
    assert stage.answers(ben) == ["You said: Said during the restart"]
    assert stage.answers(mia) == ["You said: Asked before the restart"]


async def until_either_drops_it(*services: Service) -> None:
    """Return once one of *services*, whichever had claimed it, has dropped a conversation."""
    waits = [
        asyncio.create_task(each.until_logged(lambda line: line["event"] == "conversation.dropped"))
        for each in services
    ]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)


def statuses(stage: Stage, igsid: str) -> list[int]:
    """Return how the webhooks about the person were answered, in order."""
    return [
        entry.data["status"]
        for entry in stage.meta.journal.known()
        if entry.kind == "webhook" and entry.data["events"][0][1] == igsid
    ]


async def status_of(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


async def test_connections_that_are_cut_cost_nothing(stage, other, server):
    mia = stage.person()
    hold = await stage.hold(mia, "Asked before the cut", "As if nothing had happened")

    await asyncio.to_thread(server.cut_connections)
    hold.release()
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["As if nothing had happened"]


async def test_replicas_come_and_go_under_load_without_names_or_goodbyes(stage, other, tmp_path):
    people = [stage.person() for _ in range(30)]
    said = ["Before it stops in order", "Before it is killed"]

    for line, end in zip(said, (Service.stop, Service.kill), strict=True):
        guest = Service(tmp_path, without_port(other.settings), start=forked)
        await guest.start()
        stage.meta.deliveries.url = guest.webhook
        for person in people:
            stage.meta.phones.say(person, line)
        await stage.meta.journal.until(lambda line=line: answered(stage, people, line) >= 5)
        stage.meta.deliveries.url = stage.service.webhook
        await end(guest)
    await stage.meta.journal.until(
        lambda: answered(stage, people, said[-1]) == len(people), within=PATIENCE
    )

    for person in people:
        lines = "\n".join(stage.answers(person)).replace("You said: ", "").splitlines()
        assert lines == said


def answered(stage: Stage, people: list[str], line: str) -> int:
    """Return how many of *people* have been answered *line*."""
    return sum(line in "".join(stage.answers(person)) for person in people)


def without_port(settings: Mapping[str, str]) -> dict[str, str]:
    """Return *settings* for another process on the same machine."""
    return {key: value for key, value in settings.items() if key != "server.port"}


async def test_commands_work_beside_the_processes(stage, other):
    mia, account = stage.person(), stage.meta.account.account_id
    stage.agent.will(sends(400, "no such field"))
    stage.meta.phones.say(mia, "Shall be a dead letter")
    await stage.until_answered(mia)

    listed, lines = await other.command("dead-letters", "list", "--json", "--contact", mia)
    [letter] = map(json.loads, lines.splitlines())
    replayed = await other.command("dead-letters", "replay", letter["turn"])
    await stage.until_answered(mia, 2)
    paused = await other.command("pause", mia, "--account", account, "--hours", "1")

    assert (listed, letter["reason"]) == (0, "agent answered 400")
    assert replayed == (0, "1 to be tried again\n")
    assert stage.answers(mia)[1] == "You said: Shall be a dead letter"
    assert (paused[0], paused[1].startswith("the bot is silent until ")) == (0, True)
