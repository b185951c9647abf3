"""A service that is told to stop finishes what it holds; a second on its file does not start."""

from __future__ import annotations

import pytest

from qa.support.agent import Hold
from qa.support.service import Service
from tests.support.forking import forked
from tests.support.stage import open_stage


@pytest.fixture
async def stage(tmp_path):
    """A stage whose service may be stopped."""
    async with open_stage(tmp_path, server__drain="5") as stage:
        yield stage


async def test_sigterm_during_a_turn_lets_it_be_answered(stage):
    mia = stage.person()
    hold = await stage.hold(mia, "Are you leaving?", "Before I go")
    await stage.meta.settled()

    stage.service.terminate()
    await stage.service.until_logged(lambda line: line["event"] == "worker.draining")
    hold.release()
    code = await stage.service.ended()

    assert code == 0
    assert stage.answers(mia) == ["Before I go"]


async def test_a_turn_that_outlasts_the_shutdown_is_taken_up_again_at_once(tmp_path):
    async with open_stage(tmp_path, server__drain="0.1") as stage:
        mia = stage.person()
        stage.agent.will(Hold("Never to be heard"))
        stage.meta.phones.say(mia, "Are you leaving?")
        await stage.agent.until_asked()
        await stage.meta.settled()

        assert await stage.service.stop() == 0
        await stage.service.start()
        await stage.until_answered(mia, within=2)

        assert stage.answers(mia) == ["You said: Are you leaving?"]


async def test_an_idle_service_stops_at_once_and_in_order(stage):
    stage.service.terminate()

    assert await stage.service.ended(within=2) == 0


async def test_a_second_process_on_the_same_file_refuses(stage, tmp_path):
    second = Service(tmp_path, stage.service.settings | {"server.port": "0"}, start=forked)

    await second.launch()

    assert await second.ended() == 1
    [refusal] = [line for line in second.logged() if line.get("level") == "critical"]
    assert "another ak-instagram works on" in refusal["reason"]
    assert "AK_STORE__URL" in refusal["reason"]
    assert not [line for line in second.lines if "Traceback" in line]
