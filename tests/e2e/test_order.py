"""Each message is answered once, in order, whatever the way to us does to it."""

from __future__ import annotations

import pytest

from instagram_simulator import Fault, FaultKind
from qa.support.agent import Hold

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_message_that_is_delivered_twice_is_answered_once(stage):
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.DUPLICATE, times=1))

    stage.meta.phones.say(mia, "Delivered twice")
    await stage.until_answered(mia)
    await stage.meta.settled()
    stage.meta.phones.say(mia, "Delivered once")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ["You said: Delivered twice", "You said: Delivered once"]


async def test_messages_that_come_during_a_turn_make_the_next_one(stage):
    mia = stage.person()
    hold = await stage.hold(mia, "First message")
    stage.meta.phones.say(mia, "Second message")
    stage.meta.phones.say(mia, "Third message")
    await stage.meta.settled()
    hold.release()
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ["First answer", "You said: Second message\nThird message"]


async def test_overtaken_messages_are_asked_in_the_order_of_writing(stage):
    mia = stage.person()
    hold = await stage.hold(mia, "First message")

    stage.meta.fail(Fault(FaultKind.REORDERED, times=1))
    stage.meta.phones.say(mia, "Written earlier")
    stage.meta.phones.say(mia, "Written later")
    await stage.meta.settled()
    hold.release()
    await stage.until_answered(mia, 2)

    assert stage.meta.accepted()[-2:] == [
        message.mid for message in reversed(stage.meta.world.messages(mia)[1:3])
    ]
    assert stage.answers(mia)[1] == "You said: Written earlier\nWritten later"


async def test_a_slow_turn_keeps_nobody_else_waiting(stage):
    mia, ben = stage.person(), stage.person()
    hold = await stage.hold(mia, "Takes a while")
    stage.meta.phones.say(ben, "Takes no time")
    await stage.until_answered(ben)

    assert stage.answers(mia) == []
    hold.release()
    await stage.until_answered(mia)
    assert stage.answers(mia) == [hold.text]


async def test_a_batch_of_many_people_gets_an_answer_for_each(stage):
    people = [stage.person() for _ in range(20)]

    with stage.meta.dispatch.batch():
        for person in people:
            stage.meta.phones.say(person, f"I am number {person}")
    for person in people:
        await stage.until_answered(person)

    assert [stage.answers(person) for person in people] == [
        [f"You said: I am number {person}"] for person in people
    ]


async def test_an_unsent_message_gets_no_answer(stage):
    mia, hold = stage.person(), Hold("Nobody shall read this")
    stage.agent.will(hold)
    taken_back = stage.meta.phones.say(mia, "I should not have said that")
    await stage.agent.until_asked()

    stage.meta.phones.unsend(taken_back.mid)
    await stage.meta.settled()
    hold.release()
    stage.meta.phones.say(mia, "Something else then")
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["You said: Something else then"]
