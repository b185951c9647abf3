"""`check-agent` asks the configured agent once, and shows what came of it."""

from __future__ import annotations

import asyncio
import os

import pytest
from click.testing import CliRunner

from ak_instagram.cli import main

KEY = "sk-s3cret-of-the-agent"


@pytest.fixture
def check(agent_server, tmp_path, monkeypatch):
    """Run the command with these settings of the agent and none of Meta's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("AK_", "OPENAI_"))]:
        monkeypatch.delenv(name)

    async def check(*args, **settings):
        chosen = {"adapter": "http", "url": agent_server.url} | settings
        variables = {f"AK_AGENT__{name.upper()}": value for name, value in chosen.items()}
        return await asyncio.to_thread(
            CliRunner().invoke, main, ["check-agent", *args], env=variables
        )

    return check


async def test_the_answer_is_shown_as_it_would_be_sent(agent_server, check):
    agent_server.says(
        {
            "messages": [
                "**Hi** there",
                {"text": "Which?", "quick_replies": [{"title": "Red"}]},
                {"image": "https://shop.example/a.png"},
                {"text": "And?", "quick_replies": [{"title": str(n)} for n in range(14)]},
            ]
        }
    )

    result = await check("--say", "Hello?")

    assert result.exit_code == 0
    assert '"text": "Hello?"' in result.output
    assert "\n4 to send:\n\n  Hi there\n\n  Which?\n" in result.output
    assert '"title": "Red"' in result.output
    assert '"type": "image"' in result.output
    assert result.output.count("shop.example/a.png") == 1  # what stands in for it is not sent
    assert (
        "\ncan't be sent as what it is:\n  QuickReplies: 14 of them, Instagram takes 13\n"
        in result.output
    )
    assert "first word after 0." in result.output


async def test_a_picture_is_a_question_too(agent_server, check):
    agent_server.says({"reply": "Nice!"})

    await check("--image", "https://cdn.example/1.jpg")

    [body] = agent_server.bodies
    assert body["attachments"][0]["url"] == "https://cdn.example/1.jpg"
    assert body["text"] == "[image]"


async def test_each_check_is_a_conversation_of_its_own(agent_server, check):
    agent_server.says({"reply": "ok"})

    await check()
    await check()

    first, second = agent_server.bodies
    assert first["session"] != second["session"]
    assert first["text"] == "Hello! What can you do for me?"


@pytest.mark.parametrize(
    ("reply", "code", "line"),
    [
        pytest.param({"silence": True}, 0, "the agent chose to say nothing", id="silence"),
        pytest.param({"handoff": "a refund"}, 0, "asks for a person: a refund", id="handoff"),
        pytest.param({"reply": ""}, 1, "an empty answer: the person gets nothing", id="empty"),
    ],
)
async def test_an_answer_without_a_word_is_told(agent_server, check, reply, code, line):
    agent_server.says(reply)

    result = await check()

    assert (result.exit_code, line in result.output) == (code, True)


@pytest.mark.parametrize(
    ("status", "body", "lines"),
    [
        pytest.param(
            422,
            {"detail": [{"loc": ["body", "thread"], "msg": "Field required", "type": "missing"}]},
            ["is final", "the server says: missing body.thread: Field required"],
            id="fastapi",
        ),
        pytest.param(
            400,
            {"type": "about:blank", "title": "Bad Request", "detail": "No such flow"},
            ["is final", "the server says: No such flow"],
            id="problem-json",
        ),
        pytest.param(
            401,
            {"error": {"message": f"key {KEY} is wrong"}},
            ["check agent.api_key", "the server says: key *** is wrong"],
            id="key",
        ),
        pytest.param(503, {}, ["would be tried again", "agent answered 503"], id="later"),
    ],
)
async def test_a_failure_is_told_in_the_servers_words(agent_server, check, status, body, lines):
    agent_server.says(body, status)

    result = await check(api_key=KEY)

    assert result.exit_code == 1
    assert [line for line in lines if line not in result.output] == []


async def test_an_agent_that_is_not_there_is_told_by_its_address(check, unused_tcp_port):
    result = await check(url=f"http://127.0.0.1:{unused_tcp_port}/?key={KEY}")

    assert result.exit_code == 1
    assert f"127.0.0.1:{unused_tcp_port}" in result.output
    assert KEY not in result.output


async def test_no_secret_is_shown(agent_server, check):
    agent_server.says({"reply": "ok"})

    result = await check(
        url=f"{agent_server.url}?key={KEY}1",
        api_key=f"{KEY}2",
        headers=f'{{"X-Key": "{KEY}3"}}',
        request=f'{{"text": "{{text}}", "api_key": "{KEY}4", "nested": [{{"token": "{KEY}5"}}]}}',
    )

    assert result.exit_code == 0
    assert KEY not in result.output
    assert "Authorization: ***" in result.output


async def test_settings_that_lack_something_end_it_with_2(check):
    result = await check(url="", adapter="http")

    assert result.exit_code == 2
    assert result.stderr.startswith("agent.url (AK_AGENT__URL): is missing")
