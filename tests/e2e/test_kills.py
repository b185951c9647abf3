"""`kill -9` at every step of the way: nothing that was answered 200 is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from qa.support.agent import Hold, says
from tests.support.stage import open_stage

# What the dead process held is free again once its lease is over.
LEASE = "5"
# A piece that was cut off is looked for when its send and the echo have had their time.
CUT_OFF = 15 + 10
# Of many that were cut off, two are looked for in a second.
MANY_CUT_OFF = 15 + 45
FIRST, SECOND = "First paragraph. " * 40, "Second paragraph. " * 40
PEOPLE = 60
SAID = [f"Message {number} of everyone" for number in range(3)]
# Whether there are echoes, and what happens to the two pieces. The service dies after one
# of them has arrived, and before it knows of the one that hangs.
ON_ITS_WAY: dict[str, tuple[bool, list[Fault]]] = {
    "never-arrived": (
        True,
        [
            Fault(FaultKind.SLOW, times=1, seconds=0),  # the first piece is spared
            Fault(FaultKind.HANG, times=1),
        ],
    ),
    "arrived-and-echoed": (True, [Fault(FaultKind.SENT_BUT_HANG, times=1)]),
    "arrived-and-not-echoed": (False, [Fault(FaultKind.SENT_BUT_HANG, times=1)]),
}


@pytest.fixture
async def stage(tmp_path):
    """A stage whose service may be killed."""
    async with open_stage(tmp_path, conversation__lease=LEASE) as stage:
        yield stage


async def say_something_more(stage, igsid: str) -> str:
    """Have another message answered, after which all that came before is done; return that."""
    before = len(stage.answers(igsid))
    stage.meta.phones.say(igsid, "Something more")
    await stage.until_answered(igsid, before + 1)
    return stage.answers(igsid)[-1]


async def test_killed_before_the_agent_answered(stage):
    mia = stage.person()
    stage.agent.will(Hold("Never to be heard"), says("The answer"))
    message = stage.meta.phones.say(mia, "Are you there?")
    await stage.agent.until_asked()
    await stage.meta.settled()
    assert stage.meta.accepted() == [message.mid]

    await stage.service.kill()
    await stage.restart()
    await stage.until_answered(mia)

    first, second = stage.agent.asked
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    await say_something_more(stage, mia)
    assert stage.answers(mia) == ["The answer", "You said: Something more"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def arrived(tmp_path_factory):
    """
    What arrived in the end at everybody, by the scene that they are in.

    Each scene has a process of its own. What was cut off waits until it may be looked for, so
    they wait side by side.
    """
    async with asyncio.TaskGroup() as group:
        scenes = {
            name: group.create_task(cut_off(tmp_path_factory.mktemp(name), echoes, faults))
            for name, (echoes, faults) in ON_ITS_WAY.items()
        }
        under_load = group.create_task(again_and_again(tmp_path_factory.mktemp("load")))
    return {name: scene.result() for name, scene in scenes.items()} | {"load": under_load.result()}


@pytest.mark.timeout(120)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("scene", ON_ITS_WAY)
async def test_killed_while_a_piece_was_on_its_way(scene, arrived):
    assert arrived[scene] == [FIRST.strip(), SECOND.strip(), "You said: Something more"]


@pytest.mark.timeout(120)
@pytest.mark.asyncio(loop_scope="module")
async def test_killed_again_and_again_under_load(arrived):
    assert arrived["load"] == [SAID] * PEOPLE


async def cut_off(folder: Path, echoes: bool, faults: Sequence[Fault]) -> list[str]:
    """Kill the service when *faults* have struck; return all that arrived."""
    async with open_stage(folder, conversation__lease=LEASE) as stage:
        mia = stage.person()
        stage.meta.switch(echoes=echoes)
        for fault in faults:
            stage.meta.fail(fault)
        stage.agent.will(says(f"{FIRST}\n\n{SECOND}"))

        stage.meta.phones.say(mia, "Tell me all of it")
        await stage.until_faults_struck()
        await stage.until_answered(mia)
        await stage.service.kill()
        await stage.restart()
        await stage.until_answered(mia, 2, within=CUT_OFF)
        await say_something_more(stage, mia)
        return stage.answers(mia)


async def again_and_again(folder: Path) -> list[list[str]]:
    """Kill the service while it answers everybody; return which of their lines came back."""
    async with open_stage(folder, conversation__lease=LEASE) as stage:
        people = [stage.person() for _ in range(PEOPLE)]

        def have_arrived(pieces: int) -> bool:
            return sum(len(stage.answers(person)) for person in people) >= pieces

        def has_the_last(person: str) -> bool:
            return SAID[-1] in "".join(stage.answers(person)[-1:])

        for line, moment in zip(SAID, (10, 70, 130), strict=True):
            for person in people:
                stage.meta.phones.say(person, line)
            await stage.meta.journal.until(partial(have_arrived, moment), within=MANY_CUT_OFF)
            await stage.service.kill()
            await stage.restart()
        for person in people:
            await stage.meta.journal.until(partial(has_the_last, person), within=MANY_CUT_OFF)
        answers = ("\n".join(stage.answers(person)) for person in people)
        return [answer.replace("You said: ", "").splitlines() for answer in answers]
