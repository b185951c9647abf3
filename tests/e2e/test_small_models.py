"""A model without eyes, or with little room, answers all the same, at its first attempt."""

from __future__ import annotations

import json

import pytest

from qa.support.agent import Question, sends

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"agent__adapter": "openai-chat", "agent__model": "small"}
ROOM = 300  # bytes of text that the model takes
ANSWER = " ".join(["We open at nine."] * 4)
TOO_LONG = {"code": 400, "type": "exceed_context_size_error", "message": "too large", "n_ctx": 512}
BLIND = {"code": 500, "message": "image input is not supported"}


def refusal(error: dict, status: int):
    """Return the act that answers *error*."""
    return sends(status, json.dumps({"error": error}), "application/json")


async def with_little_room(question: Question):
    """Refuse what has more bytes than the model takes."""
    asked = sum(len(message["content"].encode()) for message in question.body["messages"])
    act = refusal(TOO_LONG, 400)
    return question.answered(ANSWER) if asked <= ROOM else await act(question)


async def without_eyes(question: Question):
    """Refuse pictures."""
    has_pictures = not isinstance(question.body["messages"][-1]["content"], str)
    act = refusal(BLIND, 500)
    return await act(question) if has_pictures else question.answered("It is 12 €.")


def events(stage) -> list[str]:
    return [json.loads(line)["event"] for line in stage.service.lines if line.startswith("{")]


async def test_every_turn_of_a_long_conversation_is_answered(stage):
    mia = stage.person()
    stage.agent.will(*[with_little_room] * 40)

    for number in range(1, 9):
        stage.meta.phones.say(mia, f"Question number {number}, asked with some words around it")
        await stage.until_answered(mia, number)

    assert stage.answers(mia) == [ANSWER] * 8
    assert "agent.asked_for_less" in events(stage)
    assert "turn.retrying" not in events(stage)


async def test_a_photo_blocks_neither_its_words_nor_the_next_question(stage):
    mia = stage.person()
    stage.agent.will(*[without_eyes] * 4)

    stage.meta.phones.attach(mia, "image", "https://cdn.example/photo.jpg", text="How much?")
    await stage.until_answered(mia)
    asked = str(stage.agent.asked[-1].text)
    stage.meta.phones.say(mia, "And when do you open?")
    await stage.until_answered(mia, 2)

    assert "How much?" in asked
    assert "[image] https://cdn.example/photo.jpg" in asked
    assert stage.answers(mia) == ["It is 12 €."] * 2
    assert "turn.retrying" not in events(stage)
