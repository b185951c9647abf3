"""The agent learns who writes, as far as Meta tells, and nothing waits for it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from qa.support import postgres
from tests.support.stage import Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {
    "instagram__profile": "true",
    "agent__request": '{"text": "{text}", "who": "{profile}"}',
}


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["sqlite", "postgres"])
async def running_stage(request, tmp_path_factory):
    """A stage whose agent is told who writes, on each store."""
    settings = dict(SETTINGS)
    server = None
    if request.param == "postgres":
        server = await asyncio.to_thread(postgres.launch)
        settings["store__url"] = server.database()
    try:
        async with open_stage(tmp_path_factory.mktemp("stage"), **settings) as stage:
            await stage.service.until_logged(lambda line: line["event"] == "account.identified")
            yield stage
    finally:
        if server is not None:
            postgres.discard(server)


def profile_calls(stage: Stage, igsid: str) -> int:
    """Return how often Meta was asked who the person is."""
    calls = (entry.data for entry in stage.meta.journal.known() if entry.kind == "graph")
    return sum(call["method"] == "GET" and call["path"].endswith(f"/{igsid}") for call in calls)


async def asked_about(stage: Stage, igsid: str, text: str) -> Any:
    """Have the person write *text*; return who the agent was told wrote."""
    asked = len(stage.answers(igsid))
    stage.meta.phones.say(igsid, text)
    await stage.until_answered(igsid, asked + 1)
    return stage.agent.asked[-1].body["who"]


async def test_the_agent_is_told_who_writes_and_meta_is_asked_once(stage):
    mia = stage.meta.add_person("Mia Brandt", "mia.brandt").igsid

    first = await asked_about(stage, mia, "Who am I?")
    again = await asked_about(stage, mia, "And now?")

    assert first == {
        "name": "Mia Brandt",
        "username": "mia.brandt",
        "follower_count": 128,
        "is_user_follow_business": True,
        "is_business_follow_user": False,
        "is_verified_user": False,
    }
    assert again == first
    assert stage.agent.asked[-1].text == "And now?"
    assert profile_calls(stage, mia) == 1


@pytest.mark.parametrize("kind", [FaultKind.NO_CONSENT, FaultKind.NO_PERSON])
async def test_a_person_of_whom_meta_does_not_tell_is_answered_and_not_asked_about_again(
    stage, kind
):
    mia = stage.person()
    stage.meta.fail(Fault(kind, on="read"))

    first = await asked_about(stage, mia, "Who am I?")
    stage.meta.heal()
    again = await asked_about(stage, mia, "And now?")

    assert (first, again) == (None, None)
    assert profile_calls(stage, mia) == 1


async def test_what_passes_is_asked_again_with_the_next_turn(stage):
    mia = stage.meta.add_person("Mia Brandt", "mia.brandt").igsid
    stage.meta.fail(Fault(FaultKind.TEMPORARY, times=1, on="read"))

    first = await asked_about(stage, mia, "Who am I?")
    again = await asked_about(stage, mia, "And now?")

    assert first is None
    assert again["name"] == "Mia Brandt"


async def test_a_meta_that_hangs_delays_the_agent_by_a_second_and_is_heard_later(stage):
    mia = stage.meta.add_person("Mia Brandt", "mia.brandt").igsid
    stage.meta.fail(Fault(FaultKind.SLOW, times=1, on="read", seconds=2.5))
    began = time.monotonic()

    first = await asked_about(stage, mia, "Who am I?")
    took = time.monotonic() - began
    await stage.meta.journal.until(lambda: profile_calls(stage, mia) == 1)
    again = await asked_about(stage, mia, "And now?")

    assert first is None
    assert 1.0 <= took < 2.5
    assert again["username"] == "mia.brandt"
    assert profile_calls(stage, mia) == 1


async def test_an_erased_person_s_profile_is_gone(stage):
    mia = stage.meta.add_person("Mia Brandt", "mia.brandt").igsid
    await asked_about(stage, mia, "Who am I?")
    await stage.meta.settled()

    code, exported = await stage.service.command("person", "export", mia)
    await stage.service.command("person", "erase", mia, "--yes")
    gone = await stage.service.command("person", "export", mia)

    assert code == 0
    [kept] = json.loads(exported[exported.index("\n{") :])["tables"]["profiles"]
    assert kept["profile"]["username"] == "mia.brandt"
    assert gone[0] == 1
