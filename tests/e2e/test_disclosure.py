"""People are told that a machine answers before it does, once, whatever crashes."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from qa.support import postgres
from tests.support.stage import open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINE = "Our assistant answers here; it is a machine."
PAUSE = 2  # seconds


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store_url(request):
    """The settings that choose the store."""
    if request.param == "sqlite":
        yield {}
        return
    server = postgres.launch()
    yield {"store__url": server.database()}
    postgres.discard(server)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_stage(store_url, tmp_path_factory):
    settings = {
        "conversation__disclosure": LINE,
        "conversation__takeover_pause": str(PAUSE),
        "conversation__lease": "5",
    }
    async with open_stage(tmp_path_factory.mktemp("stage"), **settings, **store_url) as stage:
        yield stage


async def test_the_line_goes_first_once_though_the_service_is_killed_while_it_is_sent(stage):
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.TEMPORARY, times=1))
    stage.meta.phones.say(mia, "Hello?")
    await stage.until_faults_struck()

    await stage.service.kill()
    await stage.restart()
    await stage.until_answered(mia, 2, within=25)
    stage.meta.phones.say(mia, "And again")
    await stage.until_answered(mia, 3)

    assert stage.answers(mia) == [LINE, "You said: Hello?", "You said: And again"]


async def test_the_line_comes_again_when_the_bot_returns_after_a_person(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "Hello?")
    await stage.until_answered(mia, 2)

    await stage.answer_by_hand(mia, "Ann here, I take over")
    await asyncio.sleep(PAUSE)  # nothing tells that it is over
    stage.meta.phones.say(mia, "Bot, are you back?")
    await stage.until_answered(mia, 4)

    said = [LINE, "You said: Hello?", LINE, "You said: Bot, are you back?"]
    assert stage.answers(mia) == said
