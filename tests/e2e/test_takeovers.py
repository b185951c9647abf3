"""Where a person answers the bot is silent, and it returns by itself."""

from __future__ import annotations

import asyncio

import pytest

from instagram_simulator import Fault, FaultKind
from qa.support.agent import says
from tests.support.stage import ACCOUNT, Stage
from tests.support.webhooks import message, now, post

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAUSE = 2  # seconds
SETTINGS = {"conversation__takeover_pause": str(PAUSE)}
FIRST, SECOND = "First paragraph. " * 40, "Second paragraph. " * 40


async def until_hushed(stage: Stage, igsid: str) -> None:
    """Return once something was left to the person who answers."""
    await stage.service.until_logged(
        lambda line: line["event"] == "turn.skipped" and line["contact"] == igsid
    )


def reasons(stage: Stage, igsid: str) -> list[str | None]:
    """Return why each message of the person was settled as it was."""
    sql = "SELECT reason FROM events WHERE contact = ? AND kind = 'message' ORDER BY at"
    return [reason for (reason,) in stage.query(sql, igsid)]


async def test_an_answer_typed_in_the_app_silences_the_bot_until_its_pause_is_over(stage):
    mia = stage.person()
    hold = await stage.hold(mia, "Is there a person?", "Nobody shall read this")

    await stage.answer_by_hand(mia, "Yes, this is Ann")
    hold.release()
    stage.meta.phones.say(mia, "Great, thank you")
    await until_hushed(stage, mia)
    await asyncio.sleep(PAUSE)  # nothing tells that it is over
    stage.meta.phones.say(mia, "Bot, are you back?")
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["You said: Bot, are you back?"]
    assert reasons(stage, mia) == [None, "a person answers", None]


async def test_the_rest_of_an_answer_is_not_sent_once_a_person_speaks(stage):
    mia = stage.person()
    stage.agent.will(says(f"{FIRST}\n\n{SECOND}"))
    stage.meta.fail(Fault(FaultKind.SLOW, times=1, seconds=3.0))
    stage.meta.phones.say(mia, "Tell me all of it")
    await stage.until_answered(mia)

    await stage.answer_by_hand(mia, "Let me take this one")
    await stage.service.until_logged(
        lambda line: line["event"] == "delivery.attempted" and line.get("contact") == mia
    )
    stage.meta.phones.say(mia, "Thank you")
    await until_hushed(stage, mia)

    assert stage.answers(mia) == [FIRST.strip()]


async def test_a_piece_that_waits_for_its_retry_is_dropped_by_a_takeover(stage):
    mia, ben = stage.person(), stage.person()
    stage.meta.fail(Fault(FaultKind.TEMPORARY, times=3))
    stage.meta.phones.say(mia, "Tell me something")
    await stage.until_faults_struck()

    await stage.answer_by_hand(mia, "I will see to it myself")
    stage.meta.phones.say(ben, "Meanwhile")
    await stage.until_answered(ben)

    assert stage.query("SELECT status FROM outbox WHERE contact = ?", mia) == [("dropped",)]
    assert stage.answers(mia) == []


async def test_a_greeting_of_the_account_itself_is_no_persons(stage):
    mia = stage.person()
    hold = await stage.hold(mia, "Hello?")

    stage.meta.phones.answer_by_hand(mia, "Thanks for your message!")
    await stage.meta.settled()
    hold.release()
    await stage.until_answered(mia)

    line = await stage.service.until_logged(
        lambda it: it["event"] == "conversation.not_taken_over" and it["contact"] == mia
    )
    assert line["reason"] == "it came within two seconds of the person's message"
    assert stage.answers(mia) == ["First answer"]


async def test_messages_that_another_app_answers_are_left_to_it(stage):
    mia = stage.person()

    await post(stage, "standby", message(mia, "standby-1", "For the other app", now()))
    stage.meta.phones.say(mia, "For whom is this?")
    await until_hushed(stage, mia)

    assert stage.answers(mia) == []
    assert stage.agent.asked == []


@pytest.mark.parametrize("is_first", [True, False], ids=["before-the-answer", "after-it"])
async def test_its_own_echoes_are_no_persons(stage, is_first):
    mia = stage.person()
    stage.meta.switch(echo_first=is_first)
    stage.agent.will(says(f"{FIRST}\n\n{SECOND}"))

    stage.meta.phones.say(mia, "Tell me all of it")
    await stage.until_answered(mia, 2)
    await stage.meta.settled()
    stage.meta.phones.say(mia, "And more")
    await stage.until_answered(mia, 3)

    assert stage.answers(mia) == [FIRST.strip(), SECOND.strip(), "You said: And more"]
    assert stage.query("SELECT paused_until FROM conversations WHERE contact = ?", mia) == [(0,)]


async def test_a_person_takes_over_and_hands_back_by_command(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "Hello there")
    await stage.until_answered(mia)
    of_mia = (mia, "--account", ACCOUNT.account_id)

    paused = await stage.service.command("pause", *of_mia, "--hours", "1")
    stage.meta.phones.say(mia, "For Ann, please")
    await until_hushed(stage, mia)
    resumed = await stage.service.command("resume", *of_mia)
    stage.meta.phones.say(mia, "For the bot again")
    await stage.until_answered(mia, 2)

    assert (paused[0], resumed) == (0, (0, "the bot answers again\n"))
    assert reasons(stage, mia) == [None, "paused by command", None]
    assert stage.answers(mia) == ["You said: Hello there", "You said: For the bot again"]
