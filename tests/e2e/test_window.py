"""Too late is parked, what was edited is asked as edited, and what was taken back is gone."""

from __future__ import annotations

import asyncio

import pytest

from instagram_simulator import Fault, FaultKind
from qa.support.agent import Hold
from tests.support.stage import Stage
from tests.support.webhooks import message, now, post

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 86_400_000  # milliseconds


async def until_parked(stage: Stage, igsid: str) -> None:
    await stage.service.until_logged(
        lambda line: line["event"] == "answer.parked" and line["contact"] == igsid
    )


# --- the window ---------------------------------------------------------------


async def test_an_answer_after_the_window_is_not_tried_and_goes_first_later(stage):
    mia, hold = stage.person(), Hold("Too late by a second")
    stage.agent.will(hold)
    closes_at = now() + 1500
    await post(stage, "messaging", message(mia, "yesterday", "Said a day ago", closes_at - DAY))
    await stage.agent.until_asked()

    await asyncio.sleep((closes_at - now()) / 1000)  # nothing tells that it has come
    hold.release()
    await until_parked(stage, mia)
    tried = stage.calls(mia).count("message")
    stage.meta.phones.say(mia, "Still there?")
    await stage.until_answered(mia, 2)

    assert tried == 0
    assert stage.answers(mia) == ["Too late by a second", "You said: Still there?"]


async def test_an_answer_that_meta_finds_too_late_goes_first_later(stage):
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.WINDOW_CLOSED, times=1))
    stage.meta.phones.say(mia, "Answer me in time")
    await until_parked(stage, mia)

    stage.meta.phones.say(mia, "Still there?")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ["You said: Answer me in time", "You said: Still there?"]
    assert len(stage.agent.asked) == 2


async def test_messages_of_days_ago_are_context_of_the_next_turn(stage):
    """As after an outage, of Meta's or ours: they arrive at once, and nobody may answer them."""
    mia = stage.person()
    said = now()
    old = [
        message(mia, f"old-{days}", f"Said {days} days ago", said - days * DAY) for days in (3, 2)
    ]
    await post(stage, "messaging", *old)
    await stage.service.until_logged(
        lambda line: line["event"] == "turn.parked" and line["contact"] == mia
    )

    stage.meta.phones.say(mia, "Two beers please")
    await stage.until_answered(mia)

    assert stage.answers(mia) == [
        "You said: [3 days earlier]\nSaid 3 days ago\n[2 days earlier]\nSaid 2 days ago\n"
        "[now]\nTwo beers please"
    ]
    assert len(stage.agent.asked) == 1


# --- edits --------------------------------------------------------------------


async def test_the_agent_gets_what_an_edit_made_of_a_message(stage):
    mia = stage.person()
    stage.meta.switch(edit_companion=True)
    hold = await stage.hold(mia, "First message")

    edited = stage.meta.phones.say(mia, "Secnod massage")
    stage.meta.phones.edit(edited.mid, "Second massage")
    stage.meta.phones.edit(edited.mid, "Second message")
    await stage.meta.settled()
    hold.release()
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ["First answer", "You said: Second message"]


# --- unsent -------------------------------------------------------------------


async def test_a_message_unsent_while_the_agent_works_is_not_answered_nor_kept(stage):
    mia, hold = stage.person(), Hold("Nobody shall read this")
    stage.agent.will(hold)
    taken_back = stage.meta.phones.say(mia, "My card number is")
    stage.meta.phones.edit(taken_back.mid, "My card number is 4")
    await stage.agent.until_asked()

    stage.meta.phones.unsend(taken_back.mid)
    await stage.meta.settled()
    hold.release()
    stage.meta.phones.say(mia, "Something else then")
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["You said: Something else then"]
    assert kept(stage, mia, "card number") == []


async def test_a_message_unsent_while_its_answer_waits_is_not_answered_nor_kept(stage):
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.WINDOW_CLOSED, times=1))
    taken_back = stage.meta.phones.say(mia, "My card number is")
    await until_parked(stage, mia)

    stage.meta.phones.unsend(taken_back.mid)
    stage.meta.phones.say(mia, "Something else then")
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["You said: Something else then"]
    assert kept(stage, mia, "card number") == []


def kept(stage: Stage, igsid: str, words: str) -> list[tuple[str, str]]:
    """Return what is still stored of what the person said, where it says *words*."""
    sql = "SELECT kind, payload FROM events WHERE contact = ? AND payload LIKE ?"
    return stage.query(sql, igsid, f"%{words}%")
