"""A service that Meta forgets finds the messages itself, and has its webhooks switched on again."""

from __future__ import annotations

import asyncio
import time

import pytest

from instagram_simulator import Fault, FaultKind

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"instagram__sweep": "1", "server__drain": "2"}


@pytest.fixture(autouse=True)
async def _has_been_up(stage):
    """Nothing from before the service's first look counts, and listed times are whole seconds."""
    up = "SELECT 1 FROM sweeps WHERE first_seen < ?"
    async with asyncio.timeout(10):
        while not stage.query(up, time.time_ns() // 1_000_000 - 1_000):  # noqa: ASYNC110 - time itself is awaited
            await asyncio.sleep(0.05)


async def found(stage) -> int:
    lines = [line for line in stage.service.logged() if line["event"] == "sweep.found"]
    return sum(line["messages"] for line in lines)


async def test_a_message_whose_webhook_never_came_is_answered_once(stage):
    mia, before = stage.person(), await found(stage)
    stage.meta.fail(Fault(FaultKind.LOST, times=1))

    stage.meta.phones.say(mia, "Does anybody hear me?")
    await stage.until_answered(mia, within=6)
    stage.meta.phones.say(mia, "And now?")  # this one comes by its webhook
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ["You said: Does anybody hear me?", "You said: And now?"]
    assert await found(stage) - before == 1


async def test_an_account_that_was_unsubscribed_is_heard_and_subscribed_again(stage):
    mia = stage.person()
    stage.meta.set_fields(account=[])

    stage.meta.phones.say(mia, "Still there?")
    await stage.until_answered(mia, within=6)
    await stage.service.until_logged(lambda line: line["event"] == "subscription.restored")
    message = stage.meta.phones.say(mia, "Good")
    await stage.until_answered(mia, 2)
    await stage.meta.settled()

    assert message.mid in stage.meta.accepted()
    assert stage.answers(mia) == ["You said: Still there?", "You said: Good"]


async def test_what_a_person_has_answered_is_left_to_them(stage):
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.LOST, times=2))

    stage.meta.phones.say(mia, "I need a person")
    stage.meta.phones.answer_by_hand(mia, "Here I am")
    ben = stage.person()
    stage.meta.fail(Fault(FaultKind.LOST, times=1))
    stage.meta.phones.say(ben, "And me?")
    await stage.until_answered(ben, within=6)  # so the sweep has been past both

    assert stage.answers(mia) == []


async def test_the_command_finds_what_the_service_has_not_looked_for_yet(stage):
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.LOST, times=1))
    stage.meta.phones.say(mia, "Look for me")

    code, output = await stage.service.command("sweep")
    await stage.until_answered(mia, within=8)

    assert code == 0, output
    assert stage.meta.account.account_id in output
    assert stage.answers(mia) == ["You said: Look for me"]


async def test_the_command_subscribes_and_tells_whether_an_account_is(stage):
    stage.meta.set_fields(account=[])

    before, told = await stage.service.command("subscribe", "--check")
    done, subscribed = await stage.service.command("subscribe")
    after, _ = await stage.service.command("subscribe", "--check")

    account = f"{stage.meta.account.account_id} ({stage.meta.account.username})"
    assert (before, done, after) == (1, 0, 0)
    assert f"{account}: not subscribed to messages" in told
    assert f"{account}: subscribed to messages, messaging_postbacks" in subscribed
