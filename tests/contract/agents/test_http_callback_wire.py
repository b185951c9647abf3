"""The `http-callback` adapter asks as docs/agents.md says, and reads what is posted to it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ak_instagram.agents.agent import (
    Callback,
    Deferring,
    Handoff,
    MessageEnd,
    Option,
    QuickReplies,
    Silence,
    Text,
)
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Deferred, Permanent, SettingsError, Transient
from ak_instagram.settings.model import AgentSettings
from ak_instagram.webhook.signature import sign
from tests.support.settings import load

DOCS = (Path(__file__).parents[3] / "docs/agents.md").read_text(encoding="utf-8")
SECTION = DOCS.partition("\n### An endpoint that answers later\n")[2].partition("\n### ")[0]
BLOCKS = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
REQUIRED = {"AK_INSTAGRAM__VERIFY_TOKEN": "a-token", "AK_INSTAGRAM__ACCESS_TOKEN": "IGAA"}
ROOT = "http://ak-instagram:8000/"


@pytest.fixture
def asks(agent_server, ask, turn):
    """Ask an endpoint that takes the turn."""

    async def asks(asked=turn, status=202, body=None, **settings):
        agent_server.says(body if body is not None else {}, status)
        return await ask(asked, "http-callback", callback_url=ROOT, **settings)

    return asks


async def test_the_request_is_https_with_the_address_of_the_callback(agent_server, asks):
    with pytest.raises(Deferred) as deferred:
        await asks(callback_timeout=90.0)

    [body] = agent_server.bodies
    assert deferred.value.seconds == 90.0
    assert body["callback_url"] == "http://ak-instagram:8000/agent/answers/turn-1"
    assert (body["text"], body["session"]) == ("Where is my order?", "session-1")


async def test_a_request_of_ones_own_has_the_address_too_unless_it_says_where(agent_server, asks):
    for request in ({"q": "{text}"}, {"q": "{text}", "callback_url": "mine/{turn}"}):
        with pytest.raises(Deferred):
            await asks(request=request)

    assert [body["callback_url"] for body in agent_server.bodies] == [
        "http://ak-instagram:8000/agent/answers/turn-1",
        "mine/turn-1",
    ]


async def test_an_endpoint_may_answer_at_once(asks):
    assert await asks(status=200, body={"reply": "Today."}) == [Text("Today.")]
    assert await asks(status=201, body={"messages": ["Today."]}) == [Text("Today.")]


@pytest.mark.parametrize(
    ("body", "settings", "parts"),
    [
        pytest.param('{"reply": "Today."}', {}, [Text("Today.")], id="reply"),
        pytest.param('"Today."', {}, [Text("Today.")], id="bare-json-text"),
        pytest.param('{"data": {"a": "x"}}', {"reply": "data.a"}, [Text("x")], id="path"),
        pytest.param(
            '{"messages": ["a", {"text": "b", "quick_replies": [{"title": "Red"}]}]}',
            {},
            [Text("a"), MessageEnd(), Text("b"), QuickReplies((Option("Red", "Red"),))],
            id="answer-schema",
        ),
        pytest.param('{"silence": true}', {}, [Silence()], id="silence"),
        pytest.param('{"handoff": "a refund"}', {}, [Handoff("a refund")], id="handoff"),
        pytest.param(
            '{"state": "REVIEW", "reply": "draft"}',
            {"outcomes": {"state == REVIEW": "handoff"}},
            [Handoff("agent's answer has `state == REVIEW`")],
            id="outcome",
        ),
    ],
)
async def test_what_was_posted_is_read_as_an_answer_and_nobody_is_asked(
    agent_server, asks, turn, body, settings, parts
):
    assert await asks(replace(turn, callback=Callback(body)), **settings) == parts
    assert agent_server.asked == []


@pytest.mark.parametrize(
    ("callback", "error", "reason"),
    [
        pytest.param(Callback(is_overdue=True), Transient, r"agent\.callback_timeout", id="late"),
        pytest.param(
            Callback('{"error": "Error code: 429 - slow down"}'),
            Transient,
            "a rate limit is reached",
            id="failure",
        ),
        pytest.param(
            Callback('{"error": "invalid api key"}'), Permanent, "credentials", id="for-good"
        ),
    ],
)
async def test_a_turn_without_an_answer_has_failed(asks, turn, callback, error, reason):
    with pytest.raises(error, match=reason):
        await asks(replace(turn, callback=callback))


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        pytest.param('{"reply": "Today."}', None, id="answer"),
        pytest.param('{"error": "429"}', None, id="failure-is-an-answer"),
        pytest.param('{"other": 1}', "nothing at `reply`", id="shape"),
        pytest.param('{"reply": 7}', "no reply at `reply`", id="number"),
        pytest.param("<html>", "web page", id="page"),
        pytest.param("{", "ended early", id="cut"),
        pytest.param('{"reply": "' + "x" * 500 + '"}', "more than 400 bytes", id="long"),
    ],
)
def test_what_can_be_no_answer_is_refused_at_once(body, refusal):
    settings = AgentSettings("http-callback", url="http://x", callback_url=ROOT, max_body=400)
    agent = build_agent(settings, None)  # type: ignore[arg-type] # nothing is asked
    assert isinstance(agent, Deferring)

    if refusal is None:
        agent.check_callback(body)
        return
    with pytest.raises(Permanent, match=refusal):
        agent.check_callback(body)


def test_a_callback_is_no_stream():
    settings = AgentSettings(
        "http-callback", url="http://x", callback_url=ROOT, reply_format="events"
    )

    with pytest.raises(SettingsError, match=r"agent\.reply_format"):
        build_agent(settings, None)  # type: ignore[arg-type] # as above


# --- the docs ---------------------------------------------------------------


def test_the_settings_in_the_docs_are_all_it_needs():
    words = dict(word.split("=", 1) for word in shlex.split(BLOCKS[0], comments=True))

    agent = load(REQUIRED | words).agent

    assert (agent.adapter, agent.callback_timeout) == ("http-callback", 3600.0)
    assert agent.callback_url == "http://ak-instagram:8000"


def test_the_shell_in_the_docs_signs_as_meta_does(tmp_path):
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    curl.chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "AK_AGENT__CALLBACK_SECRET": "a-secret",
        "callback_url": "http://here/agent/answers/1",
    }

    done = subprocess.run(
        ["/bin/sh", "-c", BLOCKS[1]], env=environ, capture_output=True, text=True, check=True
    )

    _, body, _, header, url = done.stdout.splitlines()
    assert url == "http://here/agent/answers/1"
    assert header == f"X-Hub-Signature-256: {sign('a-secret', body.encode())}"
