"""`ak-instagram demo` shows the service at work, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from qa.support.processes import free_port

EXAMPLE = Path(__file__).parents[2] / "examples/http-agent/agent.py"
SERVICE = re.compile(r"service\s+(http://\S+)\s+\(process (\d+)")
PAGE = re.compile(r"simulator\s+(http://\S+)")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
async def demo(tmp_path):
    """Starts demos; ends those that still run after the test."""
    started = []

    async def start(*arguments, **environ):
        kept = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "PYTHONPATH")
            if name in os.environ
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ak_instagram", "demo", *arguments),
            cwd=tmp_path,
            env=kept | {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"} | environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_to_end(process) -> str:
    output, _ = await process.communicate()
    return COLOURS.sub("", output.decode())


async def read_until(process, pattern) -> re.Match:
    """Return the first match of *pattern* in a line of the output."""
    async for line in process.stdout:
        if found := re.search(pattern, COLOURS.sub("", line.decode())):
            return found
    raise AssertionError(f"the demo ended without {pattern}")


async def has_ended(process_id: int, within: float = 20) -> bool:
    """Whether a process that is not our child ends in time."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return True
    try:
        readable, _, _ = await asyncio.to_thread(select.select, [descriptor], [], [], within)
        return bool(readable)
    finally:
        os.close(descriptor)


async def test_one_conversation_is_played_and_the_exit_code_is_0(demo, tmp_path):
    process = await demo("--once")
    transcript = await read_to_end(process)

    assert process.returncode == 0, transcript
    questions = re.findall(r"→ you:\s+(.*)", transcript)
    answers = re.findall(r"← shop:\s+(.*)", transcript)
    assert questions[0] in answers[0]
    assert "Grüße aus Köln" in answers[1]
    assert len(questions) == 3
    assert len(answers) >= 4, "the long one takes more than one piece"
    assert transcript.count("webhook accepted") == 3
    assert "seen" in transcript
    assert list(tmp_path.iterdir()) == []


async def test_a_step_that_fails_makes_the_exit_code_1_and_shows_the_log(demo, tmp_path):
    arguments = ("--adapter", "http", "--agent-url", "http://127.0.0.1:9/", "--timeout", "1")
    process = await demo("--once", *arguments)
    transcript = await read_to_end(process)

    assert process.returncode == 1, transcript
    assert "✗ no answer within 1 s: agent did not answer: ClientConnectorError" in transcript
    assert "no answer yet: agent did not answer: ClientConnectorError" in transcript
    (log,) = tmp_path.iterdir()
    assert f"The whole log: {log}" in transcript


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        pytest.param(401, '{"error": {"message": "bad key"}}', "bad key", id="401"),
        pytest.param(404, '{"detail": "no such app"}', "no such app", id="404"),
        pytest.param(422, '{"detail": [{"msg": "Field required"}]}', "Field required", id="422"),
        pytest.param(200, "data: {}\n\n", "not JSON", id="a-stream"),
    ],
)
async def test_an_agent_that_answers_none_fails_the_demo_in_its_own_words(
    demo, tmp_path, status, body, reason
):
    async def respond(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_post("/", respond)
    async with TestServer(app) as agent:
        process = await demo("--once", "--adapter", "http", "--agent-url", str(agent.make_url("/")))
        transcript = await read_to_end(process)

    assert process.returncode == 1, transcript
    assert f"✗ the agent has failed: agent answered {status if status != 200 else ''}" in transcript
    assert reason in transcript
    assert "Done" not in transcript
    (log,) = tmp_path.iterdir()
    assert f"The whole log: {log}" in transcript


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        pytest.param(
            "text/event-stream",
            'data: {"done": true, "error": "Error code: 401 - bad key"}\n\n',
            "✗ the agent has failed: agent's stream reported an error (credentials are refused): "
            "the server says: Error code: 401 - bad key",
            id="an-error-in-a-stream",
        ),
        pytest.param(
            "text/event-stream", "data: hello\n\n", "✗ the agent has failed: ", id="no-json-in-it"
        ),
        pytest.param(
            "application/json",
            '{"result": "Error: Invalid API configuration or credentials."}',
            "✗ the agent has failed: agent's model failed (credentials are refused)",
            id="an-error-as-the-answer",
        ),
        pytest.param(
            "text/html",
            "<html>Starting</html>",
            "no answer yet: agent answered text/html, not JSON: a web page",
            id="a-web-page",
        ),
    ],
)
async def test_an_agent_kernel_that_fails_is_told_in_its_own_words(
    demo, tmp_path, content_type, body, reason
):
    async def respond(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type=content_type)

    app = web.Application()
    app.router.add_post("/api/v1/chat", respond)
    async with TestServer(app) as agent:
        url = str(agent.make_url("/"))
        arguments = ("--adapter", "agentkernel", "--agent-url", url, "--timeout", "3")
        process = await demo("--once", *arguments)
        transcript = await read_to_end(process)

    assert process.returncode == 1, transcript
    assert reason in transcript
    (log,) = tmp_path.iterdir()
    assert f"The whole log: {log}" in transcript


async def test_settings_that_cant_be_used_make_the_exit_code_2(demo, tmp_path):
    process = await demo("--once", AK_AGENT__ADAPTER="telepathy")
    transcript = await read_to_end(process)

    assert process.returncode == 2, transcript
    assert "agent.adapter" in transcript
    assert list(tmp_path.iterdir()) == []


async def test_a_port_that_is_taken_is_named(demo):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await demo("--once", "--port", str(port))
        transcript = await read_to_end(process)

    assert process.returncode == 1
    assert f"port {port} of 127.0.0.1 can't be used" in transcript


async def test_two_demos_run_side_by_side(demo):
    first, second = await demo("--once"), await demo("--once")
    transcripts = [await read_to_end(process) for process in (first, second)]

    assert [first.returncode, second.returncode] == [0, 0], transcripts


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_it_stays_until_a_signal_and_takes_the_service_along(demo, how):
    process = await demo()
    service = await read_until(process, SERVICE)
    page = await read_until(process, PAGE)
    await read_until(process, "Chat yourself")
    async with aiohttp.ClientSession() as session, session.get(page[1]) as response:
        assert response.status == 200
    process.send_signal(how)

    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert await has_ended(int(service[2]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_the_service_ends_even_if_the_demo_is_killed(demo):
    process = await demo()
    service = await read_until(process, SERVICE)
    await read_until(process, "Chat yourself")
    process.kill()

    assert await has_ended(int(service[2]))


async def test_a_service_that_dies_ends_the_demo(demo):
    process = await demo()
    service = await read_until(process, SERVICE)
    await read_until(process, "Chat yourself")
    os.kill(int(service[2]), signal.SIGKILL)
    transcript = await read_to_end(process)

    assert process.returncode == 1
    assert "the service ended" in transcript


async def test_a_fixed_reply_answers_everything(demo):
    process = await demo("--once", "--reply", "We open at nine.")
    transcript = await read_to_end(process)

    assert process.returncode == 0, transcript
    assert re.findall(r"← shop:\s+(.*?)  \+", transcript) == ["We open at nine."] * 3


async def test_a_fixed_reply_and_an_agent_are_one_too_many(demo):
    process = await demo("--once", "--reply", "Hi", "--model", "gpt-5.4-mini")
    transcript = await read_to_end(process)

    assert process.returncode == 2
    assert "--reply needs no agent" in transcript


async def test_the_least_http_agent_answers(demo):
    port = free_port()
    agent = await asyncio.create_subprocess_exec(
        *(sys.executable, EXAMPLE),
        env={"PORT": str(port)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        process = await demo(
            "--once", "--adapter", "http", "--agent-url", f"http://127.0.0.1:{port}"
        )
        transcript = await read_to_end(process)
    finally:
        agent.terminate()
        await agent.wait()

    assert process.returncode == 0, transcript
    questions = re.findall(r"→ you:\s+(.*)", transcript)
    answers = re.findall(r"← shop:\s+(.*)", transcript)
    assert answers[0].startswith(f"You wrote: {questions[0][:10]}")


def test_the_least_http_agent_is_fifteen_lines():
    code = [line for line in EXAMPLE.read_text().splitlines() if line.strip()]

    assert len(code) <= 15
