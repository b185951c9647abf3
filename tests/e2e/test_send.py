"""A message is sent by command beside the running service, as far as Instagram lets it."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from instagram_simulator.values import MessageContent
from qa.support import postgres
from tests.support.stage import Stage, open_stage
from tests.support.webhooks import message, now, post

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 86_400_000  # milliseconds


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
    settings = {"sender__human_agent": "true"}
    async with open_stage(tmp_path_factory.mktemp("stage"), **settings, **store_url) as stage:
        yield stage


async def answered_once(stage: Stage) -> str:
    """Return somebody who has had an answer."""
    mia = stage.person()
    stage.meta.phones.say(mia, "Hello there")
    await stage.until_answered(mia)
    return mia


async def wrote_two_days_ago(stage: Stage, mid: str) -> str:
    """Return somebody of whose message, two days old, the service hears now."""
    mia = stage.person()
    stage.meta.world.write(mia, "person", MessageContent(text="Is it in red?"))
    stage.meta.world.clock.advance(2 * DAY / 1000)
    await post(stage, "messaging", message(mia, mid, "Is it in red?", now() - 2 * DAY))
    return mia


async def test_what_is_sent_is_the_bots_own_and_goes_out_behind_what_waits(stage, tmp_path):
    mia = await answered_once(stage)
    file = tmp_path / "message.json"
    choice = {"title": "On my way", "payload": "COMING"}
    file.write_text(json.dumps({"text": "**It is at the** desk", "quick_replies": [choice]}))
    stage.meta.fail(Fault(FaultKind.SLOW, times=1, seconds=1))

    first = await stage.service.command("send", "--to", mia, "--text", "Your order is ready")
    second = await stage.service.command("send", "--to", mia, "--json", str(file))
    await stage.until_answered(mia, 3)
    await stage.meta.settled()  # their echoes have come
    stage.meta.phones.say(mia, "Thank you")
    await stage.until_answered(mia, 4)

    assert (first[0], second[0]) == (0, 0)
    assert first[1].startswith("queued: 1 message, turn out-")
    assert stage.answers(mia) == [
        "You said: Hello there",
        "Your order is ready",
        "It is at the desk",
        "You said: Thank you",
    ]
    [shown] = stage.meta.applied(mia)[2].content.quick_replies
    assert shown["payload"] == "COMING"


async def test_outside_the_window_only_a_person_may_write_and_with_metas_tag(stage):
    mia = await wrote_two_days_ago(stage, "two-days-1")
    to_mia = ("send", "--to", mia, "--text", "Ann here: yes, it is")

    refused = await stage.service.command(*to_mia)
    taken = await stage.service.command(*to_mia, "--as-person")
    await stage.until_answered(mia)

    assert refused[0] == 1
    assert refused[1].startswith("Error: the window is closed since ")
    assert taken[0] == 0
    [call] = [it for it in stage.graph_calls(mia) if "message" in it.data["request"]]
    assert call.data["request"]["tag"] == "HUMAN_AGENT"
    assert stage.answers(mia) == ["Ann here: yes, it is"]


async def test_a_tag_that_the_app_may_not_use_stops_no_account(stage):
    mia, ben = await wrote_two_days_ago(stage, "two-days-2"), stage.person()
    stage.meta.switch(human_agent=False)

    await stage.service.command("send", "--to", mia, "--text", "Ann here", "--as-person")
    line = await stage.service.until_logged(
        lambda it: it["event"] == "delivery.dead_lettered" and it["contact"] == mia
    )
    stage.meta.phones.say(ben, "Is anybody there?")
    await stage.until_answered(ben)

    assert line["reason"].endswith("has the app the feature Human Agent?")
    assert stage.answers(mia) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(("--text", "Hi"), 1, "no conversation with 7513 is known", id="nobody"),
        pytest.param((), 2, "give --text or --json, one of them", id="nothing"),
        pytest.param(("--text", " "), 2, "there is nothing to send", id="blank"),
        pytest.param(("--json", "-"), 2, "--json has no JSON", id="no-json"),
    ],
)
async def test_what_can_not_be_sent_is_said_with_the_exit_code(stage, arguments, code, said):
    ended, output = await stage.service.command("send", "--to", "7513", *arguments)

    assert (ended, said in output) == (code, True)


async def test_a_person_may_not_write_for_longer_unless_that_is_switched_on(stage):
    changed = {**stage.service.settings}
    stage.service.settings["sender.human_agent"] = "false"
    try:
        code, output = await stage.service.command(
            "send", "--to", "7513", "--text", "Hi", "--as-person"
        )
    finally:
        stage.service.settings.update(changed)

    assert (code, output.startswith("Error: sender.human_agent is false")) == (1, True)
