"""A Responses server is asked and understood as OpenAI's own types have it."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from openai.types.responses import (
    FunctionToolParam,
    Response,
    ResponseInputItemParam,
    ResponseStreamEvent,
)
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic import TypeAdapter

from ak_instagram.agents.agent import (
    Attachment,
    HistoryLine,
    Media,
    MessageEnd,
    Reaction,
    Text,
    UserMessage,
)
from ak_instagram.agents.tools import MAX_REQUESTS
from ak_instagram.errors import Permanent, Transient

REQUEST: TypeAdapter = TypeAdapter(ResponseCreateParams)
TOOL = TypeAdapter(FunctionToolParam)
ITEM = TypeAdapter(ResponseInputItemParam)
EVENT: TypeAdapter = TypeAdapter(ResponseStreamEvent)


def response(*output: dict, **fields: object) -> dict:
    """Return a response as OpenAI's own library models it."""
    return Response.model_validate(
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1756650600,
            "model": "m",
            "status": "completed",
            "output": list(output),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }
        | fields
    ).model_dump(mode="json")


def message(*texts: str, **fields: object) -> dict:
    """Return an output message with a content part for each text."""
    content = [{"type": "output_text", "text": it, "annotations": []} for it in texts]
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return {**whole, "content": content, **fields}


def event(kind: str, **fields: object) -> bytes:
    """Return an event of a stream as OpenAI's own library models it."""
    made = EVENT.validate_python({"type": kind, "sequence_number": 1, **fields})
    return f"event: {kind}\ndata: {made.model_dump_json()}\n\n".encode()


CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}
REFUSAL = {"type": "refusal", "refusal": "I can't help with that."}
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}


async def test_a_first_text_is_a_plain_string_and_nothing_is_to_be_kept(agent_server, ask, turn):
    agent_server.says(response(message("Hi")))

    parts = await ask(turn, "openai-responses", instructions="Be brief.")

    [body] = agent_server.bodies
    REQUEST.validate_python(body)
    assert parts == [Text("Hi")]
    assert agent_server.asked[0].path == "/v1/responses"
    assert body == {
        "model": "m",
        "instructions": "Be brief.",
        "input": "Where is my order?",
        "user": "session-1",
        "store": False,
        "stream": True,
    }


async def test_history_and_pictures_are_items(agent_server, ask, turn_of):
    agent_server.says(response(message("Hi")))
    picture = Attachment("image", "https://cdn.example/1.jpg")
    past = (HistoryLine("user", "Hello"), HistoryLine("assistant", "Hi!"))

    await ask(
        turn_of(UserMessage("m", 1, "Is it this?", (picture,)), history=past), "openai-responses"
    )

    [body] = agent_server.bodies
    for item in body["input"]:
        ITEM.validate_python(item)
    assert [(item["role"], item["content"]) for item in body["input"]] == [
        ("user", "Hello"),
        ("assistant", "Hi!"),
        (
            "user",
            [
                {"type": "input_text", "text": "Is it this?"},
                {
                    "type": "input_image",
                    "image_url": "https://cdn.example/1.jpg",
                    "detail": "auto",
                },
            ],
        ),
    ]


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        pytest.param(response(message("one ", "text")), [Text("one text")], id="parts-of-one"),
        pytest.param(
            response(message("one"), message("two")),
            [Text("one"), MessageEnd(), Text("two")],
            id="messages",
        ),
        pytest.param(
            response(
                REASONING,
                message("Looking it up", phase="commentary"),
                message("Hm"),
                message("At nine.", phase="final_answer"),
            ),
            [Text("At nine.")],
            id="final-answer",
        ),
        pytest.param(
            response(message("Looking", phase="commentary"), message("At nine.")),
            [Text("At nine.")],
            id="commentary-beside-an-answer-without-a-phase",
        ),
        pytest.param(response(message("Looking", phase="commentary"), CALL), [], id="call-alone"),
        pytest.param(response(), [], id="nothing"),
        pytest.param(
            response(message(content=[REFUSAL])), [Text("I can't help with that.")], id="refusal"
        ),
        pytest.param(
            response(
                message("half"),
                status="incomplete",
                incomplete_details={"reason": "content_filter"},
            ),
            [],
            id="filtered",
        ),
        *[
            pytest.param(
                response(message("half"), status="incomplete", incomplete_details={"reason": it}),
                [Text("half")],
                id=it,
            )
            for it in ("max_output_tokens", "max_messages", "steered")
        ],
    ],
)
async def test_an_answer_is_read(agent_server, ask, turn, answer, parts):
    agent_server.says(answer)

    assert await ask(turn, "openai-responses") == parts


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        pytest.param(
            response(REASONING, status="incomplete", incomplete_details={"reason": it}),
            Permanent,
            f"ended before its answer: {it}",
            id=it,
        )
        for it in ("max_output_tokens", "max_messages", "steered")
    ]
    + [
        pytest.param(
            response(status="failed", error={"code": code, "message": "no luck"}),
            error,
            f"the server says: {code}: no luck",
            id=code,
        )
        for code, error in [
            ("server_error", Transient),
            ("rate_limit_exceeded", Transient),
            ("invalid_prompt", Permanent),
        ]
    ]
    + [
        pytest.param(response(status="queued"), Permanent, "response is queued", id="queued"),
        pytest.param(
            {"error": {"message": "no flow", "type": "x"}}, Permanent, "no flow", id="error-alone"
        ),
    ],
)
async def test_a_response_without_an_answer_is_a_failure(
    agent_server, ask, turn, answer, error, reason
):
    agent_server.says(answer)

    with pytest.raises(error, match=reason):
        await ask(turn, "openai-responses")


DELTA = event("response.output_text.delta", **PLACE, delta="Hi")
DONE = b"data: [DONE]\n\n"
ITEM_DONE = event("response.output_item.done", output_index=0, item=message("Hi"))


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(
            [DELTA, event("response.completed", response=response(message("Hi")))], id="openai"
        ),
        pytest.param([DELTA, ITEM_DONE, DONE], id="items-and-done"),
        pytest.param(
            [ITEM_DONE, event("response.completed", response=response())], id="output-left-out"
        ),
        pytest.param(
            [
                DELTA,
                event(
                    "response.incomplete",
                    response=response(
                        message("Hi"),
                        status="incomplete",
                        incomplete_details={"reason": "max_output_tokens"},
                    ),
                ),
            ],
            id="incomplete",
        ),
        pytest.param(
            [
                b'data: {"object": "response.chunk", "delta": {"content": "Hi"}}\n\n',
                b'data: {"type": "response.completed", "response": {"status": "completed"}}\n\n',
                DONE,
            ],
            id="langflow",
        ),
    ],
)
async def test_a_stream_that_nobody_asked_for_is_joined(agent_server, ask, turn, chunks):
    agent_server.streams(*chunks)

    assert await ask(turn, "openai-responses") == [Text("Hi")]


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        pytest.param([DELTA], "ended early", id="cut"),
        pytest.param([DONE], "ended early", id="nothing"),
        pytest.param(
            [DELTA, event("error", code="server_error", message="no luck", param=None)],
            "server_error: no luck",
            id="error",
        ),
        pytest.param(
            [
                event(
                    "response.failed",
                    response=response(
                        status="failed", error={"code": "server_error", "message": "no luck"}
                    ),
                )
            ],
            "server_error: no luck",
            id="failed",
        ),
    ],
)
async def test_a_stream_that_fails_is_tried_again(agent_server, ask, turn, chunks, reason):
    agent_server.streams(*chunks)

    with pytest.raises(Transient, match=reason):
        await ask(turn, "openai-responses")


async def test_a_model_without_eyes_is_asked_without_the_picture(agent_server, ask, turn_of):
    agent_server.says({"error": {"message": "no images"}}, status=400)
    picture = Attachment("image", "https://cdn.example/1.jpg")

    with pytest.raises(Permanent):
        await ask(turn_of(UserMessage("m", 1, "This?", (picture,))), "openai-responses")

    asked = [json.dumps(body["input"]) for body in agent_server.bodies]
    assert ["input_image" in it for it in asked] == [True, False]


@pytest.mark.parametrize("name", ["previous_response_id", "conversation"])
async def test_a_server_that_remembers_is_told_the_conversation_by_our_name(
    agent_server, ask, turn_of, name
):
    agent_server.says(response(message("Hi")))
    past = (HistoryLine("user", "Hello"),)

    await ask(
        turn_of(UserMessage("m", 1, "And now?"), history=past),
        "openai-responses",
        continuation=name,
    )

    [body] = agent_server.bodies
    REQUEST.validate_python(body)
    assert (body["input"], body[name], body["store"]) == ("And now?", "session-1", True)


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_server_that_does_not_know_the_conversation_gets_the_history(
    agent_server, ask, turn_of, status
):
    refusal = {"error": {"message": "not found", "param": "previous_response_id"}}

    async def respond(_request):
        is_first = "previous_response_id" in agent_server.bodies[-1]
        answer = refusal if is_first else response(message("Hi"))
        return web.json_response(answer, status=status if is_first else 200)

    agent_server.respond = respond
    past = (HistoryLine("user", "Hello"),)

    parts = await ask(
        turn_of(UserMessage("m", 1, "And now?"), history=past),
        "openai-responses",
        continuation="previous_response_id",
    )

    assert parts == [Text("Hi")]
    assert [len(agent_server.bodies), len(agent_server.bodies[1]["input"])] == [2, 2]


async def test_a_wrong_key_is_not_tried_with_the_history(agent_server, ask, turn):
    agent_server.says({}, status=401)

    with pytest.raises(Permanent):
        await ask(turn, "openai-responses", continuation="conversation")

    assert len(agent_server.bodies) == 1


async def test_tools_are_offered_carried_out_and_their_results_go_back(agent_server, ask, turn):
    arguments = '{"image": "https://shop.example/a.png"}'
    called = {**CALL, "name": "send_image", "arguments": arguments, "id": "fc_1"}
    agent_server.says_each(
        response(REASONING, message("Look:"), called), response(message("Nice?"))
    )

    parts = await ask(turn, "openai-responses", tools=("send_image", "stay_silent"))

    first, second = agent_server.bodies
    for body in (first, second):
        assert REQUEST.validate_python(body).keys() == body.keys()
        for tool in body["tools"]:
            assert TOOL.validate_python(tool) == tool
    for item in second["input"]:
        assert ITEM.validate_python(item).keys() == item.keys()
    picture = Media("image", "https://shop.example/a.png")
    assert parts == [Text("Look:"), MessageEnd(), picture, MessageEnd(), Text("Nice?")]
    assert [tool["name"] for tool in first["tools"]] == ["send_image", "stay_silent"]
    assert first["input"] == "Where is my order?"
    asked, said, repeated, done = second["input"]
    assert (asked["role"], asked["content"]) == ("user", "Where is my order?")
    assert (said["role"], said["content"]) == ("assistant", "Look:")
    assert repeated == {**CALL, "name": "send_image", "arguments": arguments}
    assert (done["type"], done["call_id"], done["output"][:4]) == (
        "function_call_output",
        "c",
        "Done",
    )


async def test_what_is_streamed_beside_a_call_is_said_once_and_goes_back(agent_server, ask, turn):
    called = {**CALL, "name": "react", "arguments": '{"reaction": "❤"}', "id": "fc_1"}
    whole = response(said := message("Look:"), called)
    agent_server.streams_each(
        [
            event("response.output_item.added", output_index=0, item={**said, "content": []}),
            event("response.output_text.delta", **{**PLACE, "item_id": said["id"]}, delta="Look:"),
            event("response.output_item.added", output_index=1, item=called),
            event("response.completed", response=whole),
        ],
        [event("response.completed", response=response(message("Nice?")))],
    )

    parts = await ask(turn, "openai-responses", tools=("react",))

    assert parts == [Text("Look:"), MessageEnd(), Reaction("❤"), MessageEnd(), Text("Nice?")]
    assert [body["stream"] for body in agent_server.bodies] == [True, True]
    kinds = [item.get("type") for item in agent_server.bodies[1]["input"]]
    assert kinds == ["message", "message", "function_call", "function_call_output"]


async def test_in_the_last_request_no_tool_may_be_called(agent_server, ask, turn):
    agent_server.says(response({**CALL, "name": "react", "arguments": '{"reaction": "❤"}'}))

    await ask(turn, "openai-responses", tools=("react",))

    choices = [body.get("tool_choice") for body in agent_server.bodies]
    assert choices == [*[None] * (MAX_REQUESTS - 1), "none"]
