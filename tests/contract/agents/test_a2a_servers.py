"""Agents on the published a2a-sdk are understood: 1.x and 0.3, JSON-RPC and REST."""

from __future__ import annotations

from contextlib import suppress

import aiohttp
import pytest
import pytest_asyncio

from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    Media,
    MessageEnd,
    Text,
    Turn,
    UserMessage,
)
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings
from tests.support.a2a import environment, served

pytestmark = [
    pytest.mark.agents,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),  # the first test of a version makes its environment
]

SERVERS = [
    pytest.param(("server_1x.py", "JSONRPC", "1.0"), id="1.0-jsonrpc"),
    pytest.param(("server_1x.py", "HTTP+JSON", "1.0"), id="1.0-rest"),
    pytest.param(("server_1x.py", "JSONRPC", "0.3"), id="1.x-speaking-0.3-jsonrpc"),
    pytest.param(("server_1x.py", "HTTP+JSON", "0.3"), id="1.x-speaking-0.3-rest"),
    pytest.param(("server_03.py", "JSONRPC"), id="0.3-jsonrpc"),
    pytest.param(("server_03.py", "HTTP+JSON"), id="0.3-rest"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=SERVERS)
async def server(request):
    """An agent's root, and whether its protocol is 1.0."""
    name, *arguments = request.param
    python = environment(request.config.cache.mkdir("a2a"), name)
    async with served(python, name, *arguments) as root:
        yield root, "1.0" in arguments


@pytest.fixture(params=[True, False], ids=["stream", "whole"])
def asks(server, unique, request):
    """Ask the agent in a conversation of the test's own, for a stream where there are such."""
    root, is_v1 = server
    if request.param and not is_v1:
        pytest.skip("asked for whole answers alone")

    async def asks(text: str, turn_id: str, timeout: float = 10.0, paused="ask", **message):
        settings = AgentSettings("a2a", url=root, paused=paused, stream=request.param)
        said = UserMessage("m", 1, text, **message)
        turn = Turn(f"{unique}-{turn_id}", unique, "account", "igsid", (said,))
        async with aiohttp.ClientSession() as session:
            return await ask_agent(build_agent(settings, session), turn, 65536, timeout)

    return asks


@pytest.fixture
def unique(request):
    """A conversation that no other test has."""
    return f"session-{request.node.name}"


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        pytest.param("message", [Text("a message")], id="message"),
        pytest.param(
            "artifacts",
            [
                Text("one whole"),
                MessageEnd(),
                Media("image", "https://cdn.example/a.png"),
                MessageEnd(),
                Text("that is all"),
            ],
            id="artifacts",
        ),
        pytest.param("status", [Text("a status")], id="status"),
        pytest.param("history", [Text("in history")], id="history"),
        pytest.param("silence", [], id="silence"),
        pytest.param("auth", [Handoff("the A2A agent waits for an authorization")], id="auth"),
    ],
)
async def test_an_answer_is_read_wherever_it_is(asks, said, parts):
    assert await asks(said, "1") == parts


@pytest.mark.parametrize(
    ("said", "error", "reason"),
    [
        pytest.param("raise", Transient, "agent answered", id="exception"),
        pytest.param("failed", Transient, "task failed .*: the server says: no model", id="failed"),
        pytest.param(
            "rejected", Permanent, "task is rejected.*: the server says: not allowed", id="rejected"
        ),
        pytest.param("canceled", Permanent, "task is cancell?ed", id="canceled"),
    ],
)
async def test_a_run_without_an_answer_is_a_failure(asks, said, error, reason):
    with pytest.raises(error, match=reason):
        await asks(said, "1")


async def test_a_task_that_runs_on_without_a_word_is_neither_an_answer_nor_silence(asks, server):
    _, is_v1 = server

    if is_v1:
        with pytest.raises(Transient, match="still works"):
            await asks("paused", "1")
    else:
        [part] = await asks("paused", "1")
        assert isinstance(part, Handoff)


async def test_the_conversation_is_the_context(asks, unique):
    assert await asks("hello", "1") == [Text(f"{unique}: hello")]


async def test_a_picture_is_taken_as_its_url_and_a_voice_note_as_a_line(asks, unique):
    picture = Attachment("image", "https://cdn.example/1.jpg")
    voice = Attachment("audio", "https://cdn.example/2.m4a")

    parts = await asks("look", "1", attachments=(picture, voice))

    assert parts == [Text(f"{unique}: look\n[audio] https://cdn.example/2.m4a")]


async def test_a_question_goes_to_the_person_and_the_next_turn_continues_its_task(
    asks, server, unique
):
    _, is_v1 = server

    asked = await asks("ask", "1")
    continued = await asks("red", "2")

    assert asked == [Text("We have two."), MessageEnd(), Text("Red or blue?")]
    # 0.3 lists no tasks: what the person says begins a new one in the same context.
    assert continued == [Text("red it is" if is_v1 else f"{unique}: red")]


async def test_a_question_can_be_left_to_staff(asks, server):
    _, is_v1 = server
    waits = [Handoff("the A2A agent's task waits for somebody")]

    assert await asks("ask", "1", paused="handoff") == waits
    # Of 0.3 nobody can tell that a task waits; there the bot is silent by then.
    assert (await asks("red", "2", paused="handoff") == waits) is is_v1


def number(parts) -> int:
    """Return which run it was that answered."""
    [run] = parts
    return int(run.text.removeprefix("run "))


async def test_a_later_attempt_takes_the_answer_of_an_earlier_one(asks, server):
    _, is_v1 = server
    if not is_v1:
        pytest.skip("0.3 lists no tasks")

    with pytest.raises(Transient, match=r"agent\.timeout"):
        await asks("slow", "1", timeout=0.3)
    with pytest.raises(Transient, match="still works on an earlier attempt"):
        await asks("slow", "1")
    answer = None
    while answer is None:
        with suppress(Transient):
            answer = await asks("slow", "1")
    assert await asks("slow", "1") == answer
    assert number(await asks("slow", "2")) == number(answer) + 1
