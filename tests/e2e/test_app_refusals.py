"""Meta refuses the whole app in words that could be about one message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from instagram_simulator import Fault, FaultKind

pytestmark = pytest.mark.asyncio(loop_scope="module")


def event(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda line: line["event"] == name


async def test_a_message_that_only_one_person_is_refused_is_given_up_and_stops_nobody(stage):
    mia, zoe = stage.person(), stage.person()
    stage.meta.fail(Fault(FaultKind.UNSUPPORTED, times=1))
    stage.meta.phones.say(mia, "Can you read this?")
    await stage.until_faults_struck()
    stage.meta.phones.say(zoe, "And this?")
    await stage.until_answered(zoe)
    stage.meta.fail(Fault(FaultKind.UNSUPPORTED, times=1))

    line = await stage.service.until_logged(event("delivery.dead_lettered"))

    assert "code=100" in line["reason"]
    assert stage.answers(mia) == []
    assert [it for it in stage.service.logged() if it["event"] == "account.stopped"] == []


async def test_what_several_people_are_refused_stops_the_account_for_a_while(stage):
    people = [stage.person() for _ in range(4)]
    stage.meta.fail(Fault(FaultKind.UNSUPPORTED))
    for person in people:
        stage.meta.phones.say(person, "Are you there?")
    line = await stage.service.until_logged(event("account.stopped"))

    stage.meta.heal()
    for person in people:
        await stage.until_answered(person, within=60)

    assert "App Dashboard" in line["fix"]
    assert [stage.answers(person) for person in people] == [["You said: Are you there?"]] * 4
    given_up = stage.query("SELECT contact FROM outbox WHERE status = 'dead'")
    assert not {(person,) for person in people} & set(given_up)
