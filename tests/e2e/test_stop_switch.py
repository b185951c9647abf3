"""An operator stops sending: what comes in waits, and it all goes out in order on resume."""

from __future__ import annotations

import pytest
import pytest_asyncio

from instagram_simulator import ProfessionalAccount
from qa.support import postgres
from qa.support.agent import says
from tests.support.stage import ACCOUNT, Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = ProfessionalAccount(
    account_id="17841400000000002",
    app_scoped_id="24600000000000002",
    username="other",
    access_token="IGAAstage0token2of2the3account",
    app_secret="stage-app-secret-2",
)
FIRST, SECOND = "First paragraph. " * 40, "Second paragraph. " * 40


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store_url(request):
    """The settings that choose the store."""
    if request.param == "sqlite":
        yield {}
        return
    server = postgres.launch()
    yield {"store__url": server.database(), "conversation__lease": "5"}
    postgres.discard(server)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_stage(store_url, tmp_path_factory):
    """A stage with two accounts, on each store."""
    async with open_stage(tmp_path_factory.mktemp("stage"), OTHER, **store_url) as stage:
        yield stage


async def told(stage: Stage, *arguments: str, event: str) -> str:
    """Run a command and wait for the service to have heard of it; return what it printed."""
    seen = len(stage.service.lines)
    code, output = await stage.service.command(*arguments)
    assert code == 0
    await stage.service.until_logged(lambda line: line["event"] == event, after=seen)
    return output


async def test_what_comes_in_while_all_is_stopped_waits_and_goes_out_in_order(stage):
    mia, ben = stage.person(), stage.person()
    hold = await stage.hold(mia, "Asked before", f"{FIRST}\n\n{SECOND}")

    stopped = await told(stage, "pause", "--all", event="sending.stopped")
    hold.release()
    await stage.service.until_logged(
        lambda line: line["event"] == "turn.answered" and line["contact"] == mia
    )
    stage.meta.phones.say(mia, "Asked meanwhile")
    stage.meta.phones.say(ben, "Is anybody there?")
    await stage.meta.settled()
    await stage.service.kill()
    await stage.restart()  # which reads what is stopped before it sends
    asked, sent = len(stage.agent.asked), [stage.answers(mia), stage.answers(ben)]
    resumed = await told(stage, "resume", "--all", event="sending.resumed")
    await stage.until_answered(mia, 3, within=20)
    await stage.until_answered(ben, within=20)

    assert (asked, sent) == (1, [[], []])
    assert stopped.startswith("sending is stopped for all accounts")
    assert resumed == "sending goes on for all accounts: what waits goes out within seconds\n"
    assert stage.answers(mia) == [FIRST.strip(), SECOND.strip(), "You said: Asked meanwhile"]
    assert stage.answers(ben) == ["You said: Is anybody there?"]


async def test_one_account_is_stopped_and_the_others_are_not_concerned(stage):
    mia, zoe = stage.person(), stage.person(OTHER)
    only = ("--account", ACCOUNT.account_id)

    await told(stage, "pause", *only, event="sending.stopped")
    stage.meta.phones.say(mia, "To the stopped one")
    stage.meta.phones.say(zoe, "To the other one")
    await stage.until_answered(zoe)
    waiting = stage.calls(mia)
    await told(stage, "resume", *only, event="sending.resumed")
    await stage.until_answered(mia)

    assert waiting == [], "neither seen nor typing"
    assert stage.answers(zoe) == ["You said: To the other one"]
    assert stage.answers(mia) == ["You said: To the stopped one"]


async def test_a_service_that_may_not_send_takes_messages_for_the_next_that_may(stage):
    mia = stage.person()
    await stage.service.stop()
    stage.service.settings["sender.enabled"] = "false"
    await stage.restart()
    stage.meta.phones.say(mia, "For later")
    await stage.meta.settled()
    line = await stage.service.until_logged(
        lambda it: it.get("reason") == "sender.enabled is false"
    )
    sent = stage.calls(mia)

    await stage.service.stop()
    del stage.service.settings["sender.enabled"]
    stage.agent.will(says("Here it is"))
    await stage.restart()
    await stage.until_answered(mia)

    assert (line["event"], line["account"]) == ("sending.stopped", "all")
    assert sent == []
    assert stage.answers(mia) == ["Here it is"]
