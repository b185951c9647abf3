"""The `n8n` adapter asks and reads as docs/agent-servers.md says, by answers of n8n 2.41."""

from __future__ import annotations

import json

import pytest

from ak_instagram.agents.adapters.n8n import STARTS
from ak_instagram.agents.agent import Handoff, MessageEnd, Option, QuickReplies, Text, UserMessage
from ak_instagram.errors import Permanent, Transient


def frame(kind: str, content: str | None = None, node: str = "AI Agent") -> str:
    """Return one line of a streamed answer."""
    told = {} if content is None else {"content": content}
    return json.dumps({"type": kind, **told, "metadata": {"nodeName": node}}) + "\n"


async def test_it_asks_as_the_chat_page_does(agent_server, ask, turn_of):
    agent_server.says({"output": "ok"})

    await ask(turn_of(UserMessage("m", 1, "Hi"), agent="shop"), "n8n")

    assert agent_server.bodies == [
        {
            "action": "sendMessage",
            "sessionId": "session-1",
            "chatInput": "Hi",
            "metadata": {"turn": "turn-1", "account": "17841400000000001", "agent": "shop"},
        }
    ]


async def test_the_request_can_be_ones_own(agent_server, ask, turn):
    agent_server.says({"output": "ok"})

    await ask(turn, "n8n", request={"q": "{text}"}, url=agent_server.url + "/{session}")

    assert agent_server.bodies == [{"q": "Where is my order?"}]
    assert agent_server.asked[0].path == "/v1/session-1"


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        pytest.param({"output": "a"}, [Text("a")], id="agent"),
        pytest.param({"text": "a"}, [Text("a")], id="chain"),
        pytest.param({"response": {"text": "a"}}, [Text("a")], id="old-chain"),
        pytest.param(
            [{"output": "a"}, {"output": "b"}],
            [Text("a"), MessageEnd(), Text("b")],
            id="all-items",
        ),
        pytest.param([], [], id="no-item"),
        pytest.param("a", [Text("a")], id="bare-text"),
        pytest.param(
            {"output": {"text": "Which?", "quick_replies": [{"title": "Red"}]}},
            [Text("Which?"), QuickReplies((Option("Red", "Red"),))],
            id="structured-output",
        ),
        pytest.param({"output": "a", "handoff": "why"}, [Text("a"), Handoff("why")], id="handoff"),
    ],
)
async def test_the_last_nodes_item_is_the_answer(agent_server, ask, turn, answer, parts):
    agent_server.says(answer)

    assert await ask(turn, "n8n") == parts


async def test_another_key_can_be_named(agent_server, ask, turn):
    agent_server.says({"output": "draft", "final": "a"})

    assert await ask(turn, "n8n", reply="final") == [Text("a")]


async def test_a_condition_keeps_a_draft_back(agent_server, ask, turn):
    agent_server.says({"output": "draft", "status": "waiting"})

    [part] = await ask(turn, "n8n", outcomes={"status == waiting": "handoff"})

    assert isinstance(part, Handoff)


# --- streams ----------------------------------------------------------------


async def test_each_agent_of_a_stream_says_a_message(agent_server, ask, turn):
    lines = [
        frame("begin"),
        frame("item", "It "),
        frame("item", "left\u2028today."),
        frame("end"),
        frame("begin", node="Second"),
        frame("item", "Bye!", node="Second"),
        frame("end", node="Second"),
    ]
    agent_server.sends("".join(lines).encode(), "application/json; charset=utf-8")

    parts = await ask(turn, "n8n")

    assert parts == [Text("It left\u2028today."), MessageEnd(), Text("Bye!")]


@pytest.mark.parametrize("missing", [1, 10, 60, 120])
async def test_a_stream_cut_anywhere_is_tried_again(agent_server, ask, turn, missing):
    body = "".join([frame("begin"), frame("item", "It left today."), frame("end")]).strip()
    agent_server.sends(body[:-missing].encode(), "application/json")

    with pytest.raises(Transient, match="ended early"):
        await ask(turn, "n8n")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param("Error in workflow", Transient, id="unknown"),
        pytest.param("401 Incorrect API key provided", Permanent, id="key"),
    ],
)
async def test_an_error_in_a_stream_is_a_failure(agent_server, ask, turn, words, error):
    lines = frame("begin") + frame("item", "It le") + frame("error", words)
    agent_server.sends(lines.encode(), "application/json")

    with pytest.raises(error, match=f"workflow failed .*: the server says: {words[:12]}"):
        await ask(turn, "n8n")


# --- what is no answer ------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        pytest.param({"message": "Workflow was started"}, "Last Node", id="immediately"),
        pytest.param(
            {"executionStarted": True, "executionId": "7", "resumeToken": "x"},
            "its own page alone",
            id="response-nodes",
        ),
    ],
)
async def test_an_answer_before_the_workflow_ran_is_final(agent_server, ask, turn, answer, advice):
    agent_server.says(answer)

    with pytest.raises(Permanent, match=advice):
        await ask(turn, "n8n")


async def test_an_unknown_address_is_tried_for_as_long_as_n8n_may_start(agent_server, ask, turn):
    words = 'The requested webhook "POST shop" is not registered.'
    agent_server.says({"code": 404, "message": words}, status=404)

    with pytest.raises(Transient, match=r"publish the workflow.*the server says: 404: ") as caught:
        await ask(turn, "n8n")

    assert caught.value.attempts == STARTS


async def test_an_n8n_that_starts_is_no_answer(agent_server, ask, turn):
    agent_server.sends(b"n8n is starting up. Please wait", "text/html; charset=utf-8")

    with pytest.raises(Transient, match="starting up"):
        await ask(turn, "n8n")
