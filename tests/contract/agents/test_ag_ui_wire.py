"""The `ag-ui` adapter asks and reads as docs/agent-servers.md says, by events of AG-UI 1.0."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ak_instagram.agents.agent import (
    Attachment,
    Button,
    Buttons,
    Card,
    Cards,
    Handoff,
    HistoryLine,
    Media,
    MessageEnd,
    Option,
    QuickReplies,
    Reaction,
    Silence,
    Text,
    UserMessage,
)
from ak_instagram.errors import Permanent, Transient

WAITS = Handoff("the AG-UI run waits for somebody's decision")
RED = '{"text": "Which?", "quick_replies": [{"title": "Red"}]}'


def run(*events: dict, **end: object) -> list[dict]:
    """Return the events of a run."""
    return [{"type": "RUN_STARTED"}, *events, {"type": "RUN_FINISHED", **end}]


def says(text: str, id_: str = "m", **fields: object) -> list[dict]:
    """Return the events of a message, in two pieces."""
    half = len(text) // 2
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": id_, "role": "assistant", **fields},
        *(
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": id_, "delta": delta, **fields}
            for delta in (text[:half], text[half:])
        ),
        {"type": "TEXT_MESSAGE_END", "messageId": id_, **fields},
    ]


def calls(name: str, arguments: str, id_: str = "call-1", result: str | None = None) -> list[dict]:
    """Return the events of a tool call."""
    answered = [{"type": "TOOL_CALL_RESULT", "toolCallId": id_, "content": result}]
    return [
        {"type": "TOOL_CALL_START", "toolCallId": id_, "toolCallName": name},
        {"type": "TOOL_CALL_ARGS", "toolCallId": id_, "delta": arguments[:5]},
        {"type": "TOOL_CALL_ARGS", "toolCallId": id_, "delta": arguments[5:]},
        {"type": "TOOL_CALL_END", "toolCallId": id_},
        *(answered if result is not None else []),
    ]


def interrupted(*interrupts: dict) -> dict:
    """Return the outcome of a run that waits."""
    return {"outcome": {"type": "interrupt", "interrupts": list(interrupts)}}


@pytest.fixture
def asks(agent_server, ask, turn):
    """Ask a server that streams these events."""
    agent_server.only_streams = True

    async def asks(events, asked=turn, **settings):
        agent_server.says(events)
        return await ask(asked, "ag-ui", **settings)

    return asks


# --- the request ------------------------------------------------------------


async def test_a_turn_is_one_message_of_a_run_on_the_thread(agent_server, asks, turn):
    history = (HistoryLine("user", "Hi"), HistoryLine("assistant", "Hello!"))

    await asks(run(), replace(turn, history=history))

    [body] = agent_server.bodies
    tools = body.pop("tools")
    assert body == {
        "threadId": "session-1",
        "runId": "turn-1",
        "state": {},
        "messages": [
            {"id": "turn-1-0", "role": "user", "content": "Hi"},
            {"id": "turn-1-1", "role": "assistant", "content": "Hello!"},
            {"id": "turn-1", "role": "user", "content": "Where is my order?"},
        ],
        "context": [],
        "forwardedProps": {},
    }
    assert [it["name"] for it in tools][:3] == ["send_quick_replies", "send_buttons", "send_cards"]
    assert agent_server.asked[0].headers["Accept"] == "text/event-stream"


async def test_a_picture_is_a_part_and_a_tap_is_context(agent_server, asks, turn_of):
    picture, voice = Attachment("image", "https://cdn/1"), Attachment("audio", "https://cdn/2")
    fetched = Attachment("image", "https://cdn/3", data="data:image/png;base64,AAAA")
    message = UserMessage("m", 1, "Blue", (picture, voice, fetched), payload="COLOR_BLUE")

    await asks(run(), turn_of(message))

    [body] = agent_server.bodies
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "Blue\n[audio] https://cdn/2"},
        {
            "type": "image",
            "source": {"type": "url", "value": "https://cdn/1", "mimeType": "image/jpeg"},
        },
        {"type": "image", "source": {"type": "data", "value": "AAAA", "mimeType": "image/png"}},
    ]
    assert body["context"] == [{"description": "payload of what was tapped", "value": "COLOR_BLUE"}]


async def test_a_model_without_eyes_is_asked_again_with_the_link(agent_server, ask, turn_of):
    agent_server.only_streams = True
    agent_server.says(
        [
            {"type": "RUN_STARTED"},
            {"type": "RUN_ERROR", "message": "Error code: 400 - image input is not supported"},
        ]
    )
    picture = Attachment("image", "https://cdn/1")

    with pytest.raises(Permanent):
        await ask(turn_of(UserMessage("m", 1, "look", (picture,))), "ag-ui")

    first, second = (body["messages"][0]["content"] for body in agent_server.bodies)
    assert isinstance(first, list)
    assert second == "look\n[image] https://cdn/1"


# --- texts ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "parts"),
    [
        pytest.param(
            run(*says("one moment", "a"), *calls("look_up", "{}", result="x"), *says("It left.")),
            [Text("one moment"), MessageEnd(), Text("It left.")],
            id="before-and-after-a-tool",
        ),
        pytest.param(
            run(
                {"type": "TEXT_MESSAGE_CHUNK", "messageId": "a", "delta": "on"},
                {"type": "TEXT_MESSAGE_CHUNK", "delta": "e"},
                {"type": "TEXT_MESSAGE_CHUNK", "messageId": "b", "delta": "two"},
            ),
            [Text("one"), MessageEnd(), Text("two")],
            id="chunks",
        ),
        pytest.param(run(*says("", "a"), *says("Hi", "b")), [Text("Hi")], id="empty-message"),
        pytest.param(
            run(*says("I have to ask.", "a"), *says("I have to ask.", "b"), *says("I have", "c")),
            [Text("I have to ask."), MessageEnd(), Text("I have")],
            id="said-twice",
        ),
        pytest.param(
            run({"type": "TEXT_MESSAGE_START", "messageId": "u", "role": "user"}, *says("ok")),
            [Text("ok")],
            id="the-persons-own",
        ),
        pytest.param(
            run(
                {"type": "REASONING_MESSAGE_CONTENT", "messageId": "r", "delta": "hm"},
                {"type": "STATE_SNAPSHOT", "snapshot": {}},
                {"type": "CUSTOM", "name": "x", "value": 1},
                *says("ok"),
            ),
            [Text("ok")],
            id="thoughts-and-state",
        ),
        pytest.param(
            run(*says("draft", "s", subagentRunId="sub"), *says("ok")),
            [Text("ok")],
            id="a-subagent-is-left-out",
        ),
        pytest.param(
            run(*says("alone", "s", subagentRunId="sub")),
            [Text("alone")],
            id="unless-it-is-all-there-is",
        ),
        pytest.param(
            run(
                {
                    "type": "MESSAGES_SNAPSHOT",
                    "messages": [
                        {"role": "assistant", "content": "before"},
                        {"role": "user", "content": "Where is my order?"},
                        {"role": "assistant", "content": "It left."},
                    ],
                }
            ),
            [Text("It left.")],
            id="only-a-snapshot",
        ),
        pytest.param(run(), [], id="nothing"),
    ],
)
async def test_the_agents_messages_are_read(asks, events, parts):
    assert await asks(events) == parts


# --- tools ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "parts"),
    [
        pytest.param(
            "send_quick_replies",
            RED,
            [Text("Which?"), QuickReplies((Option("Red", "Red"),))],
            id="quick-replies",
        ),
        pytest.param(
            "send_buttons",
            '{"text": "Our shop", "buttons": [{"title": "Open", "url": "https://shop"}]}',
            [Buttons("Our shop", (Button("Open", "https://shop"),))],
            id="buttons",
        ),
        pytest.param(
            "send_cards",
            '{"cards": [{"title": "Bread", "subtitle": "3 €"}]}',
            [Cards((Card("Bread", "3 €"),))],
            id="cards",
        ),
        pytest.param(
            "send_image",
            '{"image": "https://cdn/1"}',
            [Media("image", "https://cdn/1")],
            id="image",
        ),
        pytest.param("react", '{"reaction": "❤"}', [Reaction("❤")], id="reaction"),
        pytest.param("hand_off", '{"reason": "a refund"}', [Handoff("a refund")], id="handoff"),
        pytest.param("stay_silent", "", [Silence()], id="silence"),
        pytest.param(
            "final_result",
            '{"messages": ["a", "b"]}',
            [Text("a"), MessageEnd(), Text("b")],
            id="structured-output",
        ),
    ],
)
async def test_a_call_of_our_tool_is_a_part_of_the_answer(asks, name, arguments, parts):
    assert await asks(run(*calls(name, arguments))) == parts


async def test_what_was_said_comes_before_what_was_called(asks):
    parts = await asks(run(*says("We have two."), *calls("send_quick_replies", RED)))

    assert parts == [
        Text("We have two."),
        MessageEnd(),
        Text("Which?"),
        QuickReplies((Option("Red", "Red"),)),
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param("{", "called send_cards with arguments that are no JSON", id="cut"),
        pytest.param('{"cards": 7}', "does not take: cards is a number", id="wrong-type"),
    ],
)
async def test_a_call_that_makes_no_sense_is_permanent(asks, arguments, reason):
    with pytest.raises(Permanent, match=reason):
        await asks(run(*calls("send_cards", arguments)))


# --- runs that wait ---------------------------------------------------------

QUESTION = {"id": "int-1", "reason": "input", "message": "Which one?"}
APPROVAL = {"id": "int-1", "reason": "tool_call", "message": "Refund?", "toolCallId": "call-1"}
REFUND = calls("refund", '{"euros": 120}')


@pytest.mark.parametrize(
    ("paused", "events", "parts"),
    [
        pytest.param("ask", run(**interrupted(QUESTION)), [Text("Which one?")], id="question"),
        pytest.param("handoff", run(**interrupted(QUESTION)), [WAITS], id="question-for-staff"),
        pytest.param("ask", run(*REFUND, **interrupted(APPROVAL)), [WAITS], id="approval"),
        pytest.param("ask", run(**interrupted(QUESTION, QUESTION)), [WAITS], id="several"),
        pytest.param("ask", run(**interrupted({"id": "i", "reason": "x"})), [WAITS], id="no-words"),
        pytest.param("ask", run(*REFUND), [WAITS], id="a-call-that-nobody-answered"),
        pytest.param(
            "approve", run(**interrupted(APPROVAL)), [WAITS], id="approval-of-an-unknown-call"
        ),
    ],
)
async def test_a_run_that_waits_is_neither_an_answer_nor_silence(asks, paused, events, parts):
    assert await asks(events, paused=paused) == parts


@pytest.mark.parametrize(
    ("events", "messages", "resume"),
    [
        pytest.param(
            run(*REFUND, **interrupted(APPROVAL)),
            [],
            [{"interruptId": "int-1", "status": "resolved", "payload": {"approved": True}}],
            id="interrupt",
        ),
        pytest.param(
            run(*says("Refund?"), *REFUND),
            [
                {
                    "id": "call-1-result",
                    "role": "tool",
                    "toolCallId": "call-1",
                    "content": '{"accepted":true}',
                }
            ],
            None,
            id="without-interrupts",
        ),
    ],
)
async def test_an_approval_is_two_choices_and_a_tap_resumes_the_run(
    agent_server, asks, turn_of, events, messages, resume
):
    asked = await asks(events, paused="approve", approval_words=("Ja", "Nein"))
    [text, choices] = asked
    options = choices.options
    tap = UserMessage("m", 1, "Ja", payload=options[0].payload)
    answered = await asks(run(*says("Done.")), turn_of(tap), paused="approve")

    assert text == Text("Refund?")
    assert [it.title for it in options] == ["Ja", "Nein"]
    assert all(len(it.payload) <= 1000 for it in options)
    assert answered == [Text("Done.")]
    body = agent_server.bodies[-1]
    function = {"name": "refund", "arguments": '{"euros": 120}'}
    call = {"id": "call-1", "type": "function", "function": function}
    assert body["messages"] == [
        {"id": "call-1-call", "role": "assistant", "toolCalls": [call]},
        *messages,
    ]
    assert body.get("resume") == resume


async def test_an_approval_too_long_for_a_tap_is_for_staff(asks):
    long = calls("refund", json.dumps({"why": "x" * 1000}))

    assert await asks(run(*long, **interrupted(APPROVAL)), paused="approve") == [WAITS]


# --- failures ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "error", "reason"),
    [
        pytest.param(
            [{"type": "RUN_ERROR", "message": "Error code: 401 - no key", "code": "AuthError"}],
            Permanent,
            "run failed .credentials are refused.: the server says: AuthError: Error code: 401",
            id="credentials",
        ),
        pytest.param(
            [*says("It le"), {"type": "RUN_ERROR", "message": "overloaded"}],
            Transient,
            "something is unavailable",
            id="within-a-message",
        ),
        pytest.param(
            run(outcome={"type": "cancelled"}), Transient, "was cancelled", id="cancelled"
        ),
        pytest.param(
            run({"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": 7}),
            Permanent,
            "has a int as `delta`",
            id="no-text",
        ),
    ],
)
async def test_a_run_that_fails_is_told(asks, events, error, reason):
    with pytest.raises(error, match=reason):
        await asks(events)


async def test_what_is_no_stream_is_told(agent_server, ask, turn):
    agent_server.says({"reply": "Hi"})

    with pytest.raises(Permanent, match="no event stream: is an AG-UI run at agent"):
        await ask(turn, "ag-ui")
