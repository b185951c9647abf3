"""A graph on the published `langgraph dev` is asked, answered for, and resumed."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from ak_instagram.agents.agent import Handoff, MessageEnd, Text, Turn, UserMessage
from ak_instagram.agents.answers import ask as ask_agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings
from qa.support.processes import free_port
from tests.support.installed import installed

pytestmark = [
    pytest.mark.agents,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),  # the first test makes the environment
]

GRAPH = Path(__file__).parents[2] / "data/langgraph"
NEEDS = ("langgraph-cli[inmem]==0.4.40", "langgraph-api==0.16.7", "langgraph==1.2.24")
STARTS_WITHIN = 60.0  # seconds


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(request, tmp_path_factory):
    """The server's root."""
    python = installed(request.config.cache.mkdir("langgraph"), *NEEDS)
    folder = tmp_path_factory.mktemp("langgraph")
    for file in GRAPH.iterdir():
        shutil.copy(file, folder)
    async with served(python, folder) as root:
        yield root


@asynccontextmanager
async def served(python, folder):
    port = free_port()
    environ = {"LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"}
    process = await asyncio.create_subprocess_exec(
        *(python.with_name("langgraph"), "dev", "--no-browser", "--no-reload"),
        *("--host", "127.0.0.1", "--port", str(port), "--n-jobs-per-worker", "4"),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    root = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(STARTS_WITHIN), aiohttp.ClientSession() as session:
            while not await is_there(session, root):
                assert process.returncode is None, "langgraph dev ended"
                await asyncio.sleep(0.1)
        yield root
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def is_there(session, root) -> bool:
    with suppress(aiohttp.ClientError):
        async with session.get(f"{root}/ok") as response:
            return response.status == 200
    return False


@pytest.fixture
def asks(server, request):
    """Ask the graph in a conversation of the test's own."""

    async def asks(text, turn_id="1", timeout=20.0, payload=None, hear=None, **settings):
        chosen = AgentSettings("langgraph", url=server, **settings)
        said = UserMessage("m", 1, text, payload=payload)
        name = f"session-{request.node.name}"
        turn = Turn(f"{name}-{turn_id}", name, "account", "igsid", (said,))
        async with aiohttp.ClientSession() as session:
            return await ask_agent(build_agent(chosen, session), turn, 65536, timeout, hear)

    return asks


async def test_the_thread_is_the_conversation(asks):
    assert await asks("hello", "1") == [Text("1: hello")]
    assert await asks("again", "2") == [Text("2: again")]


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        pytest.param("two", [Text("one"), MessageEnd(), Text("two")], id="several-messages"),
        pytest.param("silence", [], id="silence"),
        pytest.param(
            "approve", [Handoff("the LangGraph graph waits for somebody's decision")], id="staff"
        ),
    ],
)
async def test_an_answer_is_read(asks, said, parts):
    assert await asks(said) == parts


async def test_a_failed_run_is_told_and_does_not_double_the_message(asks):
    with pytest.raises(Transient, match="a rate limit is reached"):
        await asks("fail", "1")
    with pytest.raises(Transient):
        await asks("fail", "1")

    assert await asks("hello", "2") == [Text("2: hello")]


async def test_a_question_goes_to_the_person_and_the_next_turn_answers_it(asks):
    assert await asks("ask", "1") == [Text("Red or blue?")]
    assert await asks("ask", "1") == [Text("Red or blue?")]  # the first answer was lost
    assert await asks("blue", "2") == [Text("blue it is")]
    assert await asks("blue", "2") == [Text("blue it is")]
    assert await asks("hello", "3") == [Text("2: hello")]


async def test_a_message_that_others_follow_is_told_while_the_run_goes_on(asks):
    heard = []

    def hear(parts):
        heard.append((asyncio.get_running_loop().time(), parts[0]))

    parts = await asks("steps", hear=hear)
    ended = asyncio.get_running_loop().time()

    assert [it.text for it in parts[::2]] == [
        "1 step, please wait.",
        "I have found it.",
        "It is blue.",
    ]
    assert heard[0][1] == Text("1 step, please wait.")
    assert ended - heard[0][0] > 0.8
    assert await asks("steps", stream=False) == parts  # the same run, asked for once more


async def test_what_waits_for_staff_is_not_answered_by_the_person(asks):
    [first] = await asks("approve", "1")
    [second] = await asks("yes!", "2")

    assert isinstance(first, Handoff)
    assert isinstance(second, Handoff)


async def test_an_approval_is_two_choices_and_takes_a_tap(asks):
    [question, choices] = await asks("approve", "1", paused="approve")
    again = await asks("hm?", "2", paused="approve")
    tap = choices.options[0].payload
    done = await asks("Yes", "3", paused="approve", payload=tap)

    assert question == Text("refund?")
    assert again == [question, choices]
    assert done == [Text("approved: {'decisions': [{'type': 'approve'}]}")]


async def test_a_later_attempt_takes_the_run_of_an_earlier_one(asks):
    with pytest.raises(Transient, match=r"agent\.timeout"):
        await asks("slow", "1", timeout=0.5)

    assert await asks("slow", "1") == [Text("done")]
    assert await asks("hello", "2") == [Text("2: hello")]


async def test_an_unknown_assistant_is_told(asks):
    with pytest.raises(Permanent, match="Invalid assistant"):
        await asks("hello", model="nobody")
