"""
A run that waits for somebody is neither an answer nor silence, whatever the protocol.

`agent.paused` says who decides: a question goes to the person or to staff, an approval to staff,
or as two choices to the person, whose tap resumes the run. AG-UI's are in test_ag_ui_wire.py.
"""

from __future__ import annotations

import pytest

from ak_instagram.agents.agent import Handoff, QuickReplies, Text, UserMessage
from tests.support.dialects import DIALECTS, streams

BY_NAME = {dialect.adapter: dialect for dialect in DIALECTS}


def kernel(*kinds: str, **fields: object) -> dict:
    """Return a run of Agent Kernel 0.9 that waits for decisions of these kinds."""
    interruptions = [
        {"id": f"i{at}", "kind": kind, "tool_name": "refund", "message": "Refund 120 €?"}
        for at, kind in enumerate(kinds)
    ]
    return {"run_id": "r1", "agent": "sales", "interruptions": interruptions, **fields}


KERNEL = kernel("tool_call", status="PAUSED", result="Refund 120 €?", session_id="session-1")
KERNEL_TWO = kernel("confirmation", "tool_call", status="PAUSED")
KERNEL_VALUE = kernel("input_required", status="PAUSED")
FLOWISE = {
    "text": "Refund 120 €?",
    "chatId": "chat-1",
    "action": {
        "id": "a1",
        "mapping": {"approve": "Proceed", "reject": "Reject"},
        "elements": [],
        "data": {"nodeId": "humanInputAgentflow_0", "nodeLabel": "Human Input 0"},
    },
}
REQUEST = {"name": "refund", "args": {"euros": 120}, "description": "Refund 120 €?"}
LANGGRAPH = {"messages": [], "__interrupt__": [{"value": {"action_requests": [REQUEST]}}]}
LANGGRAPH_TWO = {
    "messages": [],
    "__interrupt__": [{"value": {"action_requests": [REQUEST, REQUEST]}}],
}
A2A_STATUS = {"state": "TASK_STATE_INPUT_REQUIRED", "message": {"parts": [{"text": "Which?"}]}}
A2A = {"jsonrpc": "2.0", "id": 1, "result": {"task": {"id": "t", "status": A2A_STATUS}}}

STAFF, PERSON, CHOICES = "staff", "person", "choices"


@pytest.fixture
def asks(agent_server, ask, turn):
    """Ask an adapter whose server answers this."""

    async def asks(adapter, answer, asked=turn, **settings):
        agent_server.aside = BY_NAME[adapter].aside
        if isinstance(answer, list):
            streams(*answer)(agent_server)
        else:
            agent_server.says(answer)
        return await ask(asked, adapter, **settings)

    return asks


def decider(parts) -> str:
    """Return who is to decide, after *parts*."""
    match parts:
        case [Handoff()]:
            return STAFF
        case [Text("Which?")]:
            return PERSON
        case [Text("Refund 120 €?"), QuickReplies(options)]:
            assert [it.title for it in options] == ["Yes", "No"]
            return CHOICES
    return f"nobody: {parts}"


WHO_DECIDES = [
    pytest.param("agentkernel", KERNEL, (STAFF, CHOICES, STAFF), id="agentkernel"),
    pytest.param("agentkernel", KERNEL_TWO, (STAFF, CHOICES, STAFF), id="agentkernel-two"),
    pytest.param("agentkernel", KERNEL_VALUE, (STAFF, STAFF, STAFF), id="agentkernel-value"),
    pytest.param("flowise", FLOWISE, (STAFF, CHOICES, STAFF), id="flowise"),
    pytest.param("langgraph", LANGGRAPH, (STAFF, CHOICES, STAFF), id="langgraph"),
    pytest.param("langgraph", LANGGRAPH_TWO, (STAFF, STAFF, STAFF), id="langgraph-two"),
    pytest.param("a2a", A2A, (PERSON, PERSON, STAFF), id="a2a-input-required"),
    pytest.param("dify", [{"event": "workflow_paused"}], (STAFF, STAFF, STAFF), id="dify"),
    *(
        pytest.param(adapter, {"handoff": "a refund"}, (STAFF, STAFF, STAFF), id=adapter)
        for adapter in ("n8n", "http", "http-callback")
    ),
]


def test_every_adapter_that_can_wait_is_asked_who_decides():
    waits = {it.adapter for it in DIALECTS if it.special.get("waits for staff")}

    assert {adapter for adapter, *_ in (it.values for it in WHO_DECIDES)} == waits - {"ag-ui"}


@pytest.mark.parametrize(("adapter", "answer", "by_setting"), WHO_DECIDES)
async def test_the_setting_says_who_decides(asks, adapter, answer, by_setting):
    decided = [
        decider(await asks(adapter, answer, paused=paused))
        for paused in ("ask", "approve", "handoff")
    ]

    assert tuple(decided) == by_setting


@pytest.mark.parametrize(
    ("adapter", "answer"),
    [
        pytest.param(
            "agentkernel",
            {
                "status": "PAUSED",
                "run_id": "r1",
                "agent": "sales",
                "interruptions": [
                    {
                        "id": "i0",
                        "kind": "tool_call",
                        "tool_name": "refund_order",
                        "arguments": '{"euros":120}',
                        "message": None,
                    }
                ],
            },
            id="agentkernel",
        ),
        pytest.param(
            "langgraph",
            {
                "messages": [],
                "__interrupt__": [
                    {
                        "value": {
                            "action_requests": [{"name": "refund_order", "args": {"euros": 120}}]
                        }
                    }
                ],
            },
            id="langgraph",
        ),
    ],
)
async def test_a_tool_without_words_of_its_own_is_asked_for_in_ours(asks, adapter, answer):
    [asked, choices] = await asks(
        adapter, answer, paused="approve", approval_words=("Nur zu", "Lieber nicht")
    )

    assert asked == Text("refund order (euros: 120)?")
    assert [it.title for it in choices.options] == ["Nur zu", "Lieber nicht"]


async def test_agent_kernel_pauses_in_a_stream_too(agent_server, ask, turn):
    event = kernel("tool_call", type="run_paused")
    streams({"event": event, "done": False}, {"done": True})(agent_server)

    assert decider(await ask(turn, "agentkernel", paused="approve")) == CHOICES


RESUMED = {
    "agentkernel": {
        "session_id": "session-1",
        "user_id": "session-1",
        "agent": "sales",
        "resume": {"run_id": "r1", "decisions": [{"id": "i0", "status": "approved"}]},
    },
    "flowise": {
        "question": "proceed",
        "streaming": False,
        "chatId": "chat-1",
        "overrideConfig": {"sessionId": "session-1"},
        "humanInput": {
            "type": "proceed",
            "startNodeId": "humanInputAgentflow_0",
            "feedback": "",
        },
    },
}
REFUSED = {
    "agentkernel": ("resume", "decisions", [{"id": "i0", "status": "denied", "message": "never"}]),
    "flowise": (
        "humanInput",
        "feedback",
        "never",
    ),
}


@pytest.mark.parametrize(("adapter", "answer"), [("agentkernel", KERNEL), ("flowise", FLOWISE)])
async def test_a_tap_resumes_the_run_by_what_it_carries(
    agent_server, asks, turn_of, adapter, answer
):
    [_, choices] = await asks(adapter, answer, paused="approve")
    yes, no = (it.payload for it in choices.options)
    done = BY_NAME[adapter].answer("Done.")

    tapped = turn_of(UserMessage("m", 1, "Yes", payload=yes))
    refused = turn_of(UserMessage("m", 1, "No", payload=no), UserMessage("n", 2, "never"))
    parts = await asks(adapter, done, tapped, paused="approve")
    await asks(adapter, done, refused, paused="approve")

    assert parts == [Text("Done.")]
    assert agent_server.bodies[1] == RESUMED[adapter]
    block, name, told = REFUSED[adapter]
    assert agent_server.bodies[2][block][name] == told


@pytest.mark.parametrize(
    ("choice", "decision"),
    [
        pytest.param(0, {"type": "approve"}, id="approved"),
        pytest.param(1, {"type": "reject", "message": "The person refused."}, id="denied"),
    ],
)
async def test_langgraph_resumes_what_its_thread_waits_with(
    agent_server, ask, asks, turn_of, choice, decision
):
    [_, choices] = await asks("langgraph", LANGGRAPH, paused="approve")
    waiting = {
        "status": "interrupted",
        "values": {},
        "interrupts": {"task": LANGGRAPH["__interrupt__"]},
    }
    agent_server.aside = lambda method, path, _: (
        None if method != "GET" else [] if path.endswith("/runs") else waiting
    )
    agent_server.says({"messages": [{"type": "ai", "id": "a", "content": "Done."}]})

    unsure = await ask(turn_of(UserMessage("m", 1, "hm?")), "langgraph", paused="approve")
    tap = UserMessage("n", 2, "Yes", payload=choices.options[choice].payload)
    parts = await ask(turn_of(tap), "langgraph", paused="approve")

    assert decider(unsure) == CHOICES
    assert parts == [Text("Done.")]
    assert agent_server.bodies[-1]["command"] == {"resume": {"decisions": [decision]}}


async def test_a_task_that_waits_for_staff_does_not_get_the_persons_words(agent_server, ask, turn):
    waiting = {"id": "t", "status": A2A_STATUS}
    listed = {"jsonrpc": "2.0", "id": 1, "result": {"tasks": [waiting]}}

    def aside(method, path, body):
        looked = BY_NAME["a2a"].aside(method, path, body)
        return listed if looked and method == "POST" else looked

    agent_server.aside = aside

    assert decider(await ask(turn, "a2a", paused="handoff")) == STAFF
    assert agent_server.asked == []
