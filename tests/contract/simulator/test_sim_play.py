"""The demo's conversation ends well only if every question was answered."""

from __future__ import annotations

import asyncio

import pytest

from instagram_simulator.demo.conversation import SCRIPT, Play, StepFailed


@pytest.fixture
async def play(meta, subscribed):
    """Plays with a new person; returns what was shown."""
    person = meta.add_person("Mia")

    async def run(*, is_echo, limit=0.2):
        shown: list[str] = []
        await Play(meta, person, is_echo, limit, shown.append, quiet=0.05).run()
        return "\n".join(shown)

    return run


@pytest.fixture
async def answering(meta, graph):
    """Answers every question with the pieces that a function makes of it."""
    tasks = []

    def start(pieces_of):
        async def answer():
            async for entry in meta.journal.follow(0):
                if entry.kind == "message" and entry.data["author"] == "person":
                    for piece in pieces_of(entry.data["text"]):
                        await graph.send(entry.data["igsid"], piece)

        tasks.append(asyncio.create_task(answer()))

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def in_pieces(text):
    return text.split("\n\n")


async def test_an_echo_that_comes_back_whole_is_a_success(play, answering):
    answering(in_pieces)
    transcript = await play(is_echo=True, limit=5)

    assert transcript.count("→ you:") == len(SCRIPT)
    assert transcript.count("← shop:") == sum(len(in_pieces(question)) for question in SCRIPT)


async def test_an_agent_may_say_what_it_likes(play, answering):
    answering(lambda _: ["Let me see.", "Yes!"])
    transcript = await play(is_echo=False, limit=5)

    assert transcript.count("← shop:") == 2 * len(SCRIPT)


@pytest.mark.parametrize("is_echo", [True, False])
async def test_no_answer_is_a_failure(play, is_echo):
    with pytest.raises(StepFailed, match=r"no answer within 0\.2 s"):
        await play(is_echo=is_echo)


async def test_half_an_echo_is_a_failure(play, answering):
    answering(lambda text: [text[:10]])
    with pytest.raises(StepFailed, match="not complete"):
        await play(is_echo=True)


async def test_a_webhook_that_is_refused_is_a_failure(play, subscribed):
    subscribed.statuses.extend([503] * 9)
    with pytest.raises(StepFailed, match="did not accept"):
        await play(is_echo=True)
