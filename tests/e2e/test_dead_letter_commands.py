"""What was given up is looked at, tried again or let go by command, beside the running service."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from qa.support.agent import says, sends
from tests.support.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SORRY = "Sorry, something is broken here"
SETTINGS = {"agent__fallback": SORRY, "conversation__attempts": "1"}
PARAGRAPHS = [f"{which} paragraph. " * 40 for which in ("First", "Second", "Third")]
PIECES = [paragraph.strip() for paragraph in PARAGRAPHS]


async def letters(stage: Stage, *filters: str) -> list[dict[str, object]]:
    """Return what `dead-letters list --json` prints."""
    code, output = await stage.service.command("dead-letters", "list", "--json", *filters)
    assert code == 0
    return [json.loads(line) for line in output.splitlines()]


async def dead_turn(stage: Stage, igsid: str, said: str) -> dict[str, object]:
    """Let the agent fail on what the person said; return the dead letter."""
    stage.agent.will(sends(400, "no such field"))
    stage.meta.phones.say(igsid, said)
    await stage.until_answered(igsid)
    [letter] = await letters(stage, "--contact", igsid)
    return letter


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def half_sent(running_stage):
    """
    Someone who got the first of three pieces, and the dead letter that the others are.

    They are looked for when their send and an echo have had their time, which passes while
    other tests run.
    """
    stage = running_stage
    mia = stage.person()
    stage.agent.will(says("\n\n".join(PARAGRAPHS)))
    stage.meta.fail(Fault(FaultKind.SLOW, times=1, seconds=0))  # the first piece is spared
    stage.meta.fail(Fault(FaultKind.PERSON_UNAVAILABLE, times=1))
    stage.meta.phones.say(mia, "Tell me all of it")
    await stage.service.until_logged(
        lambda line: line["event"] == "delivery.dead_lettered" and line["contact"] == mia
    )
    stage.meta.phones.say(mia, "Are you done?")
    await stage.until_answered(mia, 2)
    [letter] = await letters(stage, "--contact", mia)
    stage.agent.forget()
    return mia, letter


@pytest.fixture(autouse=True)
def _half_is_sent_first(half_sent):
    """Let its time begin before any other test."""


async def test_a_turn_is_listed_shown_and_replayed_until_it_is_answered(stage):
    mia = stage.person()
    letter = await dead_turn(stage, mia, "Can you help me?")
    turn = letter["turn"]

    shown = await stage.service.command("dead-letters", "show", turn)
    replayed = await stage.service.command("dead-letters", "replay", turn)
    await stage.until_answered(mia, 2)
    again = await stage.service.command("dead-letters", "replay", turn)

    assert (letter["what"], letter["reason"]) == ("turn", "agent answered 400")
    assert "Can you help me?" in shown[1]
    assert replayed == (0, "1 to be tried again\n")
    assert again == (1, f"Error: no dead letter is called {turn}\n")
    assert stage.answers(mia) == [SORRY, "You said: Can you help me?"]
    assert await letters(stage, "--contact", mia) == []


async def test_filters_select_dead_letters_and_discarded_ones_are_gone(stage):
    mia, ben = stage.person(), stage.person()
    for person in (mia, ben):
        await dead_turn(stage, person, "Can you help me?")

    discarded = await stage.service.command("dead-letters", "discard", "--all", "--contact", mia)

    assert discarded == (0, "1 discarded\n")
    assert await letters(stage, "--contact", mia) == []
    assert [letter["contact"] for letter in await letters(stage, "--contact", ben)] == [ben]
    assert await letters(stage, "--since", "2100-01-01") == []
    assert await letters(stage, "--account", "1") == []


async def test_nothing_is_replayed_where_a_person_answers(stage):
    mia = stage.person()
    letter = await dead_turn(stage, mia, "Can anybody help me?")
    await stage.answer_by_hand(mia, "Ann here, of course")

    code, output = await stage.service.command("dead-letters", "replay", letter["turn"])

    assert (code, output.splitlines()[0]) == (0, "0 to be tried again")
    assert "the bot is silent there" in output
    assert await letters(stage, "--contact", mia) == [letter]


async def test_of_an_answer_only_what_was_not_sent_goes_out(stage, half_sent):
    mia, letter = half_sent

    replayed = await stage.service.command("dead-letters", "replay", letter["turn"])
    await stage.until_answered(mia, 4, within=15)

    assert (letter["what"], letter["count"]) == ("answer", 2)
    assert letter["reason"].startswith("person_unavailable")
    assert replayed == (0, "1 to be tried again\n")
    assert stage.answers(mia) == [PIECES[0], "You said: Are you done?", *PIECES[1:]]
    assert stage.agent.asked == []
