"""The `http` adapter posts and reads as docs/agents.md says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aiohttp import web

from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    HistoryLine,
    MessageEnd,
    Silence,
    Text,
    UserMessage,
)
from ak_instagram.errors import Permanent, Transient

DOCS = (Path(__file__).parents[3] / "docs/agents.md").read_text(encoding="utf-8")
IMAGE = Attachment("image", "https://cdn/1")


async def test_the_default_request_has_the_whole_turn(agent_server, ask, turn_of):
    agent_server.says({"reply": "ok"})
    message = UserMessage("m1", 5, "look", (IMAGE,), payload="P", context={"story_id": "1"})

    await ask(turn_of(message, agent="general"), "http")

    image = {"kind": "image", "url": "https://cdn/1", "title": None}
    assert agent_server.bodies == [
        {
            "session": "session-1",
            "turn": "turn-1",
            "account": "17841400000000001",
            "agent": "general",
            "text": "look",
            "messages": [
                {
                    "mid": "m1",
                    "at": 5,
                    "text": "look",
                    "attachments": [image],
                    "payload": "P",
                    "context": {"story_id": "1"},
                }
            ],
            "attachments": [image],
        }
    ]


async def test_a_request_of_ones_own_is_filled(agent_server, ask, turn_of):
    agent_server.says({"data": [{"text": "ok"}]})
    past = (HistoryLine("user", "hi"), HistoryLine("assistant", "Hello!"))

    parts = await ask(
        turn_of(UserMessage("m1", 5, "And {session}?", (IMAGE,)), history=past),
        "http",
        request={
            "chatInput": "Customer: {text}",
            "meta": {
                "who": "{contact}",
                "ids": ["{turn}", "{session}-x"],
                "n": 1,
                "agent": "{agent}",
            },
            "past": "{history}",
        },
        reply="data.0.text",
    )

    assert parts == [Text("ok")]
    assert agent_server.bodies == [
        {
            "chatInput": "Customer: And {session}?\n[image] https://cdn/1",
            "meta": {
                "who": "751390000000001",
                "ids": ["turn-1", "session-1-x"],
                "n": 1,
                "agent": None,
            },
            "past": [{"role": "user", "text": "hi"}, {"role": "assistant", "text": "Hello!"}],
        }
    ]


@pytest.mark.parametrize(
    ("answer", "path", "parts"),
    [
        pytest.param({"reply": "a"}, "reply", [Text("a")], id="text"),
        pytest.param(
            {"choices": [{"message": {"content": "a"}}]},
            "choices.0.message.content",
            [Text("a")],
            id="deep",
        ),
        pytest.param({"m": [{"t": "a"}, {"t": "b"}]}, "m.-1.t", [Text("b")], id="last-of-a-list"),
        pytest.param({"0": "a"}, "0", [Text("a")], id="number-as-key"),
        pytest.param("a", "", [Text("a")], id="bare-string"),
        pytest.param(
            {"reply": ["a", None, "b"]},
            "reply",
            [Text("a"), MessageEnd(), Text("b")],
            id="several-messages",
        ),
        pytest.param({"reply": None}, "reply", [], id="null"),
        pytest.param({"reply": []}, "reply", [], id="empty-list"),
        pytest.param({"silence": True, "reply": "a"}, "reply", [Silence()], id="silence"),
        pytest.param({"silence": False, "reply": "a"}, "reply", [Text("a")], id="no-silence"),
        pytest.param({"handoff": "angry"}, "reply", [Handoff("angry")], id="handoff"),
        pytest.param(
            {"handoff": True, "reply": "A colleague will write."},
            "reply",
            [Text("A colleague will write."), Handoff()],
            id="handoff-with-a-word",
        ),
        pytest.param({"handoff": "angry"}, "", [Handoff("angry")], id="handoff-instead-of-text"),
        pytest.param({"handoff": None, "reply": "a"}, "reply", [Text("a")], id="no-handoff"),
    ],
)
async def test_the_reply_is_found_by_its_path(agent_server, ask, turn, answer, path, parts):
    agent_server.says(answer)

    assert await ask(turn, "http", reply=path) == parts


async def test_no_content_is_silence(agent_server, ask, turn):
    agent_server.sends(b"", "", status=204)

    assert await ask(turn, "http") == [Silence()]


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        pytest.param({"output": "a"}, "reply", id="other-key"),
        pytest.param({"reply": "a"}, "reply.text", id="into-a-text"),
        pytest.param({"m": []}, "m.0", id="empty-list"),
        pytest.param({"m": ["a"]}, "m.first", id="word-into-a-list"),
        pytest.param(None, "reply", id="null"),
        pytest.param({"handoff": ""}, "reply", id="empty-handoff"),
    ],
)
async def test_a_path_that_leads_nowhere_is_permanent_and_named(
    agent_server, ask, turn, answer, path
):
    agent_server.says(answer)

    with pytest.raises(Permanent, match=f"nothing at `{path}`"):
        await ask(turn, "http", reply=path)


@pytest.mark.parametrize(
    "last",
    [
        pytest.param({"type": "human", "content": "Where is my order?"}, id="langgraph"),
        pytest.param({"role": "user", "content": "rewritten"}, id="role"),
        pytest.param({"content": "Where is my order?"}, id="of-no-role"),
    ],
)
async def test_the_persons_own_message_is_never_the_answer(agent_server, ask, turn, last):
    agent_server.says({"messages": [{"type": "ai", "content": "Hello!"}, last]})

    assert await ask(turn, "http", reply="messages.-1.content") == []


async def test_a_failure_in_a_success_is_told_in_the_servers_words(agent_server, ask, turn):
    agent_server.says({"status": "ERROR", "content": "Error code: 429 - rate limit at host"})

    with pytest.raises(Transient, match=r"\(a rate limit is reached\): the server says: ERROR"):
        await ask(turn, "http", reply="content")


@pytest.mark.parametrize("status", [400, 401, 404, 500])
async def test_a_reason_names_no_setting_that_the_adapter_does_not_have(
    agent_server, ask, turn, status
):
    agent_server.says({"detail": "Session not found"}, status=status)

    with pytest.raises((Permanent, Transient), match="Session not found") as caught:
        await ask(turn, "http")

    assert "agent.model" not in str(caught.value)


async def test_an_error_in_a_success_is_a_failure(agent_server, ask, turn):
    agent_server.says({"error": {"message": "Error code: 401 - bad key"}, "reply": "partial"})

    with pytest.raises(Permanent, match="the server says: Error code: 401"):
        await ask(turn, "http")


# --- the request ------------------------------------------------------------


async def test_the_address_and_the_headers_have_the_conversation(agent_server, ask, turn):
    agent_server.says({"reply": "ok"})

    await ask(
        turn,
        "http",
        url=agent_server.url + "/threads/{session}/runs",
        headers={"X-Turn": "{turn}", "X-Key": "k"},
    )

    [request] = agent_server.asked
    assert request.path == "/v1/threads/session-1/runs"
    assert (request.headers["X-Turn"], request.headers["X-Key"]) == ("turn-1", "k")


async def test_a_form_has_texts_and_json_for_the_rest(agent_server, ask, turn):
    form = {}

    async def respond(request):
        form.update(await request.post())
        return web.json_response({"reply": "ok"})

    agent_server.respond = respond

    await ask(
        turn,
        "http",
        request={"message": "{text}", "stream": False, "agent": "{agent}", "all": "{messages}"},
        request_format="form",
    )

    assert (form["message"], form["stream"]) == ("Where is my order?", "false")
    assert json.loads(form["all"])[0]["mid"] == "mid-1"
    assert "agent" not in form


@pytest.mark.parametrize(
    ("reply_format", "accept"),
    [
        pytest.param("json", "application/json, text/plain;q=0.5", id="json"),
        pytest.param("events", "text/event-stream, application/json;q=0.5", id="events"),
        pytest.param("lines", "application/x-ndjson, application/json;q=0.5", id="lines"),
    ],
)
async def test_accept_says_what_can_be_read(agent_server, ask, turn, reply_format, accept):
    agent_server.says({"reply": "ok"})

    assert await ask(turn, "http", reply_format=reply_format) == [Text("ok")]
    assert agent_server.asked[0].headers["Accept"] == accept


# --- the answer -------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "parts"),
    [
        pytest.param(b"Sure!", "text/html; charset=utf-8", [Text("Sure!")], id="text"),
        pytest.param(b"", "application/json", [], id="nothing"),
        pytest.param(b"Gr\xf6\xdfe", "text/plain; charset=latin1", [Text("Größe")], id="latin-1"),
    ],
)
async def test_what_is_no_json_is_what_it_is(agent_server, ask, turn, body, content_type, parts):
    agent_server.sends(body, content_type)

    assert await ask(turn, "http") == parts


async def test_a_stream_that_no_setting_speaks_of_is_no_text(agent_server, ask, turn):
    agent_server.streams(b"data: Sure!\n\n")

    with pytest.raises(Permanent, match=r"agent\.reply_format to events"):
        await ask(turn, "http")


async def test_events_run_on_to_the_end_that_is_set(agent_server, ask, turn):
    agent_server.streams(
        b'data: {"type": "text", "delta": "It "}\n\n',
        b'data: {"type": "log", "delta": "x"}\n\ndata: {"type": "text", "delta": "left"}\n\n',
        b'data: {"type": "end"}\n\n',
        b'data: {"type": "text", "delta": "never read"}\n\n',
    )

    parts = await ask(
        turn,
        "http",
        reply_format="events",
        reply="delta",
        outcomes={"type == end": "end", "type != text": "skip"},
    )

    assert parts == [Text("It left")]


async def test_json_lines_are_read_whatever_their_type(agent_server, ask, turn):
    lines = b'{"d": "It "}\n{"d": "left\xe2\x80\xa8today"}\n\n{"done": 1}\n{"d": "Bye"}'
    agent_server.sends(lines, "application/json")

    parts = await ask(turn, "http", reply_format="lines", reply="d", outcomes={"done": "next"})

    assert parts == [Text("It left\u2028today"), MessageEnd(), Text("Bye")]


@pytest.mark.parametrize(
    ("reply_format", "body"),
    [
        pytest.param("events", b'data: {"reply": "It le"}\n\n', id="events"),
        pytest.param("lines", b'{"reply": "It le"}\n', id="lines"),
        pytest.param("lines", b'{"reply": "It le', id="in-a-line"),
    ],
)
async def test_a_stream_without_its_end_was_cut_off(agent_server, ask, turn, reply_format, body):
    agent_server.sends(
        body, "text/event-stream" if reply_format == "events" else "application/json"
    )

    with pytest.raises(Transient, match="ended early"):
        await ask(turn, "http", reply_format=reply_format, outcomes={"done": "end"})


async def test_an_error_in_a_stream_is_a_failure(agent_server, ask, turn):
    agent_server.streams(b'data: {"reply": "It"}\n\n', b'data: {"error": "Error code: 401"}\n\n')

    with pytest.raises(Permanent, match="the server says: Error code: 401"):
        await ask(turn, "http", reply_format="events")


async def test_a_condition_hands_over(agent_server, ask, turn):
    agent_server.says({"finishReason": "suspended", "text": ""})

    parts = await ask(turn, "http", reply="text", outcomes={"finishReason == suspended": "handoff"})

    assert parts == [Handoff("agent's answer has `finishReason == suspended`")]


async def test_the_documented_answer_schema_is_read(agent_server, ask, turn):
    schema = DOCS.partition("### The answer schema")[2]
    [example] = re.findall(r"```json\n(.*?)```", schema, re.DOTALL)
    agent_server.says(json.loads(example))

    parts = [type(it).__name__ for it in await ask(turn, "http") if not isinstance(it, MessageEnd)]

    assert parts == [
        *("Text", "QuickReplies", "Buttons", "Cards", "Media", "Reaction"),
        *("ReplyTo", "Text", "Handoff"),
    ]


# --- limits -----------------------------------------------------------------


async def test_the_body_has_a_limit_apart_from_the_answers(agent_server, ask, turn):
    agent_server.says({"reply": "ok", "echo": "x" * 100_000})

    assert await ask(turn, "http", max_answer=10, max_body=200_000) == [Text("ok")]
    with pytest.raises(Permanent, match=r"more than 50000 bytes \(agent\.max_body\)"):
        await ask(turn, "http", max_body=50_000)


@pytest.mark.parametrize(
    ("statuses", "status", "error"),
    [
        pytest.param(("404",), 404, Transient, id="listed"),
        pytest.param(("404",), 503, Permanent, id="not-listed"),
        pytest.param(("4xx",), 422, Transient, id="a-hundred"),
    ],
)
async def test_the_statuses_worth_a_retry_can_be_listed(
    agent_server, ask, turn, statuses, status, error
):
    agent_server.says({}, status=status)

    with pytest.raises(error):
        await ask(turn, "http", retry_statuses=statuses)
