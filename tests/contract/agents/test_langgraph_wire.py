"""The `langgraph` adapter looks, asks and reads as docs/agent-servers.md says."""

from __future__ import annotations

import json
from functools import partial

import pytest
from aiohttp import web

from ak_instagram.agents.adapters.langgraph import thread_id
from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    MessageEnd,
    Option,
    QuickReplies,
    Text,
    UserMessage,
)
from ak_instagram.errors import Permanent, Transient

THREAD = f"/v1/threads/{thread_id('session-1')}"
HUMAN = {"type": "human", "id": "turn-1", "content": "Where is my order?"}
OLD = [
    {"type": "human", "id": "turn-0", "content": "Hi"},
    {"type": "ai", "id": "a0", "content": "Hello!"},
]
STAFF = Handoff("the LangGraph graph waits for somebody's decision")


def ai(text: object, key: str = "a1") -> dict:
    """Return a message of the model's."""
    return {"type": "ai", "id": key, "content": text}


@pytest.fixture
def server(agent_server):
    """The server with what it knows: answers by path, 404 for everything else."""
    known: dict[str, object] = {}

    async def respond(request):
        if (found := known.get(request.path)) is None:
            return web.json_response({"detail": "not found"}, status=404)
        return web.json_response(found)

    agent_server.respond = respond
    agent_server.known = known
    return agent_server


@pytest.fixture
def ask(ask):
    """Ask for whole answers; what differs in a stream has tests of its own."""
    return partial(ask, stream=False)


def asked_paths(server) -> list[str]:
    """Return what the server was asked, without the thread's own path."""
    return [f"{it.method} {it.path_qs.removeprefix(THREAD)}" for it in server.asked]


# --- asking -----------------------------------------------------------------


async def test_a_new_conversation_is_a_run_on_a_thread_of_its_own(server, ask, turn):
    server.known[f"{THREAD}/runs/wait"] = {"messages": [HUMAN, ai("Hello!")]}

    assert await ask(turn, "langgraph", model=None) == [Text("Hello!")]
    assert asked_paths(server) == ["GET ", "POST /runs/wait"]
    assert server.bodies[-1] == {
        "assistant_id": "agent",
        "input": {"messages": [{"role": "user", "content": "Where is my order?", "id": "turn-1"}]},
        "metadata": {"turn": "turn-1", "session": "session-1"},
        "if_not_exists": "create",
        "multitask_strategy": "enqueue",
        "on_disconnect": "continue",
    }


@pytest.mark.parametrize(
    ("name", "model", "assistant"),
    [
        pytest.param("sales", "m", "sales", id="of-the-account"),
        pytest.param(None, "m", "m", id="model"),
        pytest.param(None, None, "agent", id="default"),
    ],
)
async def test_the_assistant_has_a_name(server, ask, turn_of, name, model, assistant):
    server.known[f"{THREAD}/runs/wait"] = {"messages": []}

    await ask(turn_of(UserMessage("m", 1, "Hi"), agent=name), "langgraph", model=model)

    assert server.bodies[-1]["assistant_id"] == assistant


async def test_attachments_and_payloads_are_for_the_graphs_nodes(server, ask, turn_of):
    server.known[f"{THREAD}/runs/wait"] = {"messages": []}
    picture = Attachment("image", "https://cdn/1")

    await ask(turn_of(UserMessage("m", 1, "look", (picture,), payload="P")), "langgraph")

    [message] = server.bodies[-1]["input"]["messages"]
    assert message["content"] == "look\n[image] https://cdn/1"
    assert message["additional_kwargs"] == {
        "attachments": [{"kind": "image", "url": "https://cdn/1", "title": None}],
        "payloads": ["P"],
    }


async def test_the_key_is_sent_as_the_platform_wants_it(server, ask, turn):
    server.known[f"{THREAD}/runs/wait"] = {"messages": []}

    await ask(turn, "langgraph", api_key="lsv2-key")

    assert {it.headers["X-Api-Key"] for it in server.asked} == {"lsv2-key"}


# --- reading ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "parts"),
    [
        pytest.param([*OLD, HUMAN, ai("a")], [Text("a")], id="since-the-turn"),
        pytest.param(
            [HUMAN, ai("one"), {"type": "tool", "content": "x"}, ai("two", "a2")],
            [Text("one"), MessageEnd(), Text("two")],
            id="several",
        ),
        pytest.param([*OLD, HUMAN], [], id="nothing-said"),
        pytest.param(
            [{"role": "user", "content": "x"}, {"role": "assistant", "content": "a"}],
            [Text("a")],
            id="plain-dicts",
        ),
        pytest.param(
            [
                HUMAN,
                ai([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, "b"]),
            ],
            [Text("ab")],
            id="blocks",
        ),
        pytest.param([HUMAN, ai("", "t"), ai("a")], [Text("a")], id="tool-call-without-text"),
    ],
)
async def test_the_models_new_messages_are_the_answer(server, ask, turn, messages, parts):
    server.known[f"{THREAD}/runs/wait"] = {"messages": messages}

    assert await ask(turn, "langgraph") == parts


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(
            {"error": "AuthenticationError", "message": "Error code: 401 - bad key"},
            Permanent,
            id="key",
        ),
        pytest.param({"error": "RuntimeError", "message": "boom"}, Transient, id="unknown"),
    ],
)
async def test_a_failed_run_is_told_by_its_words(server, ask, turn, error, kind):
    server.known[f"{THREAD}/runs/wait"] = {"__error__": error}

    with pytest.raises(kind, match=f"run failed .*: the server says: {error['error']}"):
        await ask(turn, "langgraph")


async def test_an_unknown_assistant_is_final(agent_server, ask, turn):
    async def respond(request):
        missing = request.method == "GET"
        return web.json_response(
            {"detail": "not found" if missing else "Invalid assistant: 'm'"},
            status=404 if missing else 422,
        )

    agent_server.respond = respond

    with pytest.raises(Permanent, match=r"422.*Invalid assistant"):
        await ask(turn, "langgraph")


# --- questions --------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        pytest.param("Red or blue?", [Text("Red or blue?")], id="text"),
        pytest.param({"question": "Red?", "n": 1}, [Text("Red?")], id="question"),
        pytest.param(
            {"text": "Which?", "quick_replies": [{"title": "Red"}]},
            [Text("Which?"), QuickReplies((Option("Red", "Red"),))],
            id="answer-schema",
        ),
        pytest.param({"handoff": "a refund"}, [Handoff("a refund")], id="handoff"),
        pytest.param({"action_requests": [{"name": "refund"}]}, [STAFF], id="approval"),
        pytest.param({"text": 7}, [STAFF], id="no-schema"),
        pytest.param(["a"], [STAFF], id="list"),
    ],
)
async def test_what_a_run_waits_for_is_asked_or_handed_over(server, ask, turn, value, parts):
    waiting = {"messages": [HUMAN], "__interrupt__": [{"value": value, "id": "i"}]}
    server.known[f"{THREAD}/runs/wait"] = waiting

    assert await ask(turn, "langgraph") == parts


async def test_questions_can_be_left_to_staff(server, ask, turn):
    waiting = {"messages": [HUMAN, ai("draft")], "__interrupt__": [{"value": "Red?"}]}
    server.known[f"{THREAD}/runs/wait"] = waiting

    assert await ask(turn, "langgraph", paused="handoff") == [STAFF]


def waits_with(server, value: object, *said: dict) -> None:
    """Let the server's thread wait with an interrupt of *value*."""
    interrupts = {"task": [{"id": "i", "value": value}]}
    values = {"messages": [*OLD, *said]}
    server.known[THREAD] = {"status": "interrupted", "interrupts": interrupts, "values": values}
    server.known[f"{THREAD}/runs"] = [
        {"run_id": "r0", "status": "success", "metadata": {"turn": "turn-0"}}
    ]


async def test_the_next_turn_answers_the_question(server, ask, turn_of):
    waits_with(server, "Red or blue?", ai("We have two."))
    done = {"messages": [*OLD, ai("We have two."), ai("Blue it is.", "a2")]}
    server.known[f"{THREAD}/runs/wait"] = done

    parts = await ask(turn_of(UserMessage("m", 1, "Blue")), "langgraph")

    assert parts == [Text("Blue it is.")]
    assert server.bodies[-1]["command"] == {"resume": "Blue"}
    assert "input" not in server.bodies[-1]


async def test_what_waits_for_staff_is_not_answered_by_the_person(server, ask, turn):
    waits_with(server, {"action_requests": [{"name": "refund"}]})

    assert await ask(turn, "langgraph") == [STAFF]
    assert asked_paths(server) == ["GET ", "GET /runs?limit=3"]


# --- earlier attempts -------------------------------------------------------


def has_run(server, status: str, **fields: object) -> None:
    """Let the server have a run of this turn."""
    server.known[THREAD] = {"status": "idle", "interrupts": {}, "values": {"messages": OLD}}
    run = {"run_id": "r1", "status": status, "metadata": {"turn": "turn-1"}, **fields}
    server.known[f"{THREAD}/runs"] = [run]


@pytest.mark.parametrize("status", ["pending", "running", "success"])
async def test_a_run_of_an_earlier_attempt_is_waited_for(server, ask, turn, status):
    has_run(server, status)
    server.known[f"{THREAD}/runs/r1/join"] = {"messages": [*OLD, HUMAN, ai("It left.")]}

    assert await ask(turn, "langgraph") == [Text("It left.")]
    assert asked_paths(server) == ["GET ", "GET /runs?limit=3", "GET /runs/r1/join"]


async def test_a_failed_run_is_made_again(server, ask, turn):
    has_run(server, "error", kwargs={"command": None})
    server.known[f"{THREAD}/runs/wait"] = {"messages": [*OLD, HUMAN, ai("It left.")]}

    assert await ask(turn, "langgraph") == [Text("It left.")]
    assert server.bodies[-1]["input"]["messages"][0]["id"] == "turn-1"


async def test_a_failed_reply_to_a_question_is_made_again(server, ask, turn):
    has_run(server, "error", kwargs={"command": {"resume": "Blue"}})
    server.known[f"{THREAD}/runs/wait"] = {"messages": [*OLD, ai("Blue it is.")]}

    assert await ask(turn, "langgraph") == [Text("Blue it is.")]
    assert server.bodies[-1]["command"] == {"resume": "Blue"}


# --- streams ----------------------------------------------------------------

METADATA = {"run_id": "r1", "attempt": 1}
LOOK, FOUND = ai("Let me look."), ai("It left.", "a2")
TOOL = {"type": "tool", "id": "t1", "content": "x"}


@pytest.fixture
def streamed(server, ask, turn):
    """Ask for a stream of these events, behind which the run ends in a state."""

    async def streamed(*events: object, end: object = None, cut: bool = False):
        async def respond(request):
            if request.path != f"{THREAD}/runs/stream":
                found = server.known.get(request.path)
                return web.json_response(found or {}, status=200 if found else 404)
            answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await answer.prepare(request)
            for event in events:
                await answer.write(f"event: x\r\ndata: {json.dumps(event)}\r\n\r\n".encode())
            if cut:
                assert request.transport is not None
                request.transport.close()
            return answer

        server.respond = respond
        server.known[f"{THREAD}/runs/r1/join"] = end
        return await ask(turn, "langgraph", stream=True)

    return streamed


def states(*steps: list) -> list[dict]:
    """Return the events of a run whose messages were these, one after another."""
    return [METADATA, *({"messages": step} for step in steps)]


STEPS = [[HUMAN], [HUMAN, LOOK], [HUMAN, LOOK, TOOL]]
WHOLE = [*STEPS[-1], FOUND]


async def test_a_run_is_followed(server, streamed):
    parts = await streamed(*states(*STEPS, WHOLE))

    assert parts == [Text("Let me look."), MessageEnd(), Text("It left.")]
    assert asked_paths(server) == ["GET ", "POST /runs/stream"]
    assert server.bodies[1]["stream_mode"] == ["values", "updates"]


async def test_the_outcome_of_a_run_whose_stream_breaks_off_is_waited_for(server, streamed):
    parts = await streamed(*states(*STEPS), end={"messages": WHOLE}, cut=True)

    assert parts == [Text("Let me look."), MessageEnd(), Text("It left.")]
    assert asked_paths(server) == ["GET ", "POST /runs/stream", "GET /runs/r1/join"]


@pytest.mark.parametrize(
    ("end", "parts"),
    [
        pytest.param([HUMAN, ai("We can't say.")], [Text("We can't say.")], id="rewritten"),
        pytest.param([HUMAN, {"type": "human", "id": "h", "content": "x"}], [], id="taken-away"),
    ],
)
async def test_the_last_message_is_not_told_before_the_run_has_ended(streamed, end, parts):
    assert await streamed(*states([HUMAN, ai("Our margin is 40 %.")], end)) == parts


@pytest.mark.parametrize("in_state", [True, False], ids=["in-the-state", "in-an-update"])
async def test_a_draft_that_waits_for_staff_is_not_told(streamed, in_state):
    pending: dict = {"__interrupt__": [{"value": {"action_requests": []}}]}
    draft = {"messages": [HUMAN, LOOK, TOOL, ai("Refunded.", "a2")]}
    end = [draft | pending] if in_state else [draft, pending]

    parts = await streamed(METADATA, {"node": {"messages": [LOOK]}}, *end)

    assert parts == [Text("Let me look."), MessageEnd(), STAFF]


async def test_earlier_messages_are_not_told_again(server, streamed):
    server.known[THREAD] = {"interrupts": {}, "values": {"messages": OLD}}

    parts = await streamed(*states(OLD, [*OLD, HUMAN], [*OLD, HUMAN, FOUND]))

    assert parts == [Text("It left.")]


@pytest.mark.parametrize(
    ("events", "kind", "reason"),
    [
        pytest.param(
            [METADATA, {"error": "RuntimeError", "message": "Error code: 401 - bad key"}],
            Permanent,
            "credentials are refused",
            id="error",
        ),
        pytest.param([], Transient, "stream ended early", id="nothing"),
    ],
)
async def test_a_stream_without_a_run_that_ends_is_a_failure(streamed, events, kind, reason):
    with pytest.raises(kind, match=reason):
        await streamed(*events, end={"messages": [HUMAN, FOUND]})
