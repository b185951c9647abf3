"""Each finished message is sent while the agent writes the rest, and what went out stands."""

from __future__ import annotations

import json

import pytest

from qa.support.agent import Stream, says
from tests.support.stage import Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"agent__reply_format": "events"}
LEASE = "5"
SAID = [" ".join([f"{it} paragraph."] * 20) for it in ("First", "Second", "Third")]
FIRST, SECOND, THIRD = SAID


async def begin(stage: Stage, person: str) -> Stream:
    """Have the agent write a first paragraph, and return its stream once that has arrived."""
    stream = Stream()
    stage.agent.will(stream)
    stage.meta.phones.say(person, "Tell me all of it")
    await stage.agent.until_asked()
    stream.write(FIRST)
    stream.write("\n")
    stream.write("\n")
    await stage.until_answered(person)
    return stream


async def until_done(stage: Stage, person: str) -> None:
    """Return once all that the person said before is done with."""
    stage.agent.will(says("Done"))
    stage.meta.phones.say(person, "Anything else?")
    await stage.meta.journal.until(lambda: "Done" in stage.answers(person))


async def test_a_paragraph_arrives_before_the_agent_writes_the_next(stage):
    mia = stage.person()
    stream = await begin(stage, mia)

    for number, text in enumerate((SECOND, THIRD), start=2):
        stream.write(f"{text}\n\n")
        await stage.until_answered(mia, number)
    stream.write("That is all.")
    stream.end()
    await until_done(stage, mia)

    assert stage.answers(mia) == [*SAID, "That is all.", "Done"]
    assert len(stage.agent.asked) == 2


async def test_somebody_types_between_messages_and_not_after_the_last(stage):
    mia = stage.person()
    stream = await begin(stage, mia)
    await stage.until_called(mia, "typing_on", 2)

    stream.write(SECOND)
    stream.end()
    await stage.until_answered(mia, 2)

    assert stage.calls(mia) == ["mark_seen", "typing_on", "message", "typing_on", "message"]


async def test_an_answer_that_ends_with_what_was_told_leaves_no_indicator(stage):
    mia = stage.person()
    stream = await begin(stage, mia)
    await stage.until_called(mia, "typing_on", 2)

    stream.end()
    await stage.until_called(mia, "typing_off")

    assert stage.answers(mia) == SAID[:1]


async def test_a_stream_that_breaks_off_is_a_dead_letter_without_an_apology(stage):
    mia = stage.person()
    stream = await begin(stage, mia)
    stream.write("Half a sen")
    stream.drop()
    await stage.service.until_logged(lambda line: line["event"] == "turn.dead_lettered")
    await until_done(stage, mia)

    assert stage.answers(mia) == [SAID[0], "Done"]
    assert stage.query(
        "SELECT status, reason LIKE 'cut off after 1 messages: agent%' FROM events"
        " WHERE contact = ? AND kind = 'message' ORDER BY id",
        mia,
    ) == [("dead", 1), ("answered", None)]


async def test_a_replay_of_what_broke_off_sends_the_rest_alone(stage):
    mia = stage.person()
    stream = await begin(stage, mia)
    stream.drop()
    await stage.service.until_logged(lambda line: line["event"] == "turn.dead_lettered")
    [(turn,)] = stage.query("SELECT turn FROM outbox WHERE contact = ?", mia)
    again = Stream()
    stage.agent.will(again)

    code, _ = await stage.service.command("dead-letters", "replay", turn)
    again.write(f"{FIRST}\n\n{SECOND}\n\n")
    await stage.until_answered(mia, 2)
    again.end()
    await until_done(stage, mia)

    assert code == 0
    assert stage.answers(mia) == [*SAID[:2], "Done"]


async def test_a_person_who_answers_stops_the_rest(stage):
    mia = stage.person()
    stream = await begin(stage, mia)

    await stage.answer_by_hand(mia, "Let me take this one")
    stream.write(f"{SECOND}\n\n")
    await stage.service.until_logged(
        lambda line: line["event"] == "answer.dropped" and line["contact"] == mia
    )
    stream.write(f"{THIRD}\n\n")
    await stream.has_ended.wait()

    assert stage.answers(mia) == SAID[:1]


async def test_what_is_taken_back_in_the_middle_is_answered_no_further(stage):
    mia = stage.person()
    stream = Stream()
    stage.agent.will(stream)
    message = stage.meta.phones.say(mia, "Tell me all of it")
    await stage.agent.until_asked()
    stream.write(f"{FIRST}\n\n")
    await stage.until_answered(mia)

    stage.meta.phones.unsend(message.mid)
    await stage.meta.settled()
    stream.write(f"{SECOND}\n\n")
    await stage.service.until_logged(
        lambda line: line["event"] == "answer.dropped" and line["contact"] == mia
    )
    stream.end()
    await until_done(stage, mia)

    assert stage.answers(mia) == [SAID[0], "Done"]


async def test_whole_answers_on_wish(tmp_path):
    async with open_stage(tmp_path, agent__stream="false", **SETTINGS) as stage:
        mia = stage.person()
        stream = Stream()
        stage.agent.will(stream)
        stage.meta.phones.say(mia, "Tell me all of it")
        await stage.agent.until_asked()

        stream.write(f"{FIRST}\n\n{SECOND}")
        stream.end()
        await stage.until_answered(mia)

        assert stage.answers(mia) == [f"{SAID[0]}\n\n{SAID[1]}"]


@pytest.mark.timeout(60)
async def test_a_kill_in_the_middle_neither_doubles_nor_asks_again(tmp_path):
    async with open_stage(tmp_path, conversation__lease=LEASE, **SETTINGS) as stage:
        mia = stage.person()
        stream = await begin(stage, mia)
        stream.write(f"{SECOND}\n\n")
        await stage.until_answered(mia, 2)
        await stage.service.until_logged(
            lambda line: line["event"] == "delivery.attempted" and line["piece"] == 1
        )

        await stage.service.kill()
        await stage.restart()
        await stage.service.until_logged(lambda line: line["event"] == "answer.cut_off")
        await until_done(stage, mia)
        _, letters = await stage.service.command("dead-letters", "list")

        assert stage.answers(mia) == [*SAID[:2], "Done"]
        assert [question.text for question in stage.agent.asked] == [
            "Tell me all of it",
            "Anything else?",
        ]
        assert "the rest of the answer is lost" in letters
        assert json.loads(stage.service.lines[-1])
