"""A Chat Completions server is asked and understood as OpenAI's own types have it."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionContentPartParam,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageParam,
    CompletionCreateParams,
)
from pydantic import TypeAdapter
from structlog.testing import capture_logs

from ak_instagram.agents.agent import (
    Attachment,
    HistoryLine,
    Media,
    MessageEnd,
    Text,
    UserMessage,
)
from ak_instagram.agents.registry import build_agent
from ak_instagram.agents.tools import MAX_REQUESTS
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

REQUEST: TypeAdapter = TypeAdapter(CompletionCreateParams)
MESSAGE = TypeAdapter(ChatCompletionMessageParam)
PART = TypeAdapter(ChatCompletionContentPartParam)
TOOL = TypeAdapter(ChatCompletionFunctionToolParam)


def completion(content: str | None, finish_reason: str = "stop", **message: object) -> dict:
    """Return an answer as OpenAI's own library models it."""
    return ChatCompletion.model_validate(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1756650600,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish_reason,
                    "message": {"role": "assistant", "content": content} | message,
                }
            ],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
    ).model_dump(mode="json")


def chunk(*choices: dict, **fields: object) -> bytes:
    """Return an event of a stream as OpenAI's own library models it."""
    event = ChatCompletionChunk.model_validate(
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        | {"choices": [{"index": 0, "finish_reason": None} | choice for choice in choices]}
        | fields
    )
    return f"data: {event.model_dump_json()}\n\n".encode()


DONE = b"data: [DONE]\n\n"
TOOL_CALL = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.fixture
def asked(agent_server):
    """The one request that the server got, which OpenAI's types accept and don't change."""

    def asked() -> dict:
        (body,) = agent_server.bodies
        assert REQUEST.validate_python(body).keys() == body.keys()
        # Lists in the request are validated only when they are read: so, one by one.
        for message in body["messages"]:
            assert MESSAGE.validate_python(message).keys() == message.keys()
            parts = message["content"] if isinstance(message["content"], list) else []
            assert [PART.validate_python(part) for part in parts] == parts
        return body

    return asked


def calls(*named: tuple[str, str], content: str | None = None) -> dict:
    """Return an answer that calls tools, each with its arguments."""
    listed = [
        {"id": f"call-{number}", "type": "function", "function": {"name": name, "arguments": it}}
        for number, (name, it) in enumerate(named)
    ]
    return completion(content, "tool_calls", tool_calls=listed)


# --- the request ------------------------------------------------------------


async def test_azures_form_is_a_query_and_a_header_of_its_own(agent_server, ask, turn):
    agent_server.says(completion("ok"))
    deployment = f"{agent_server.url}/openai/deployments/d?api-version=2024-10-21"

    await ask(turn, "openai-chat", url=deployment, headers={"api-key": "k"})

    (request,) = agent_server.asked
    assert request.path_qs == "/v1/openai/deployments/d/chat/completions?api-version=2024-10-21"
    assert request.headers["api-key"] == "k"
    assert "Authorization" not in request.headers


async def test_instructions_history_and_question_are_the_messages(
    agent_server, ask, asked, turn_of
):
    agent_server.says(completion("ok"))
    past = (HistoryLine("user", "hi"), HistoryLine("assistant", "Hello!"))

    await ask(
        turn_of(UserMessage("m", 1, "And?"), history=past),
        "openai-chat",
        model="gpt-x",
        instructions="Be brief.",
    )

    assert agent_server.asked[0].path == "/v1/chat/completions"
    assert asked() == {
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "And?"},
        ],
        "user": "session-1",
        "stream": True,
    }


async def test_pictures_are_content_parts_and_other_attachments_lines(
    agent_server, ask, asked, turn_of
):
    agent_server.says(completion("ok"))
    media = (Attachment("image", "https://cdn/1"), Attachment("audio", "https://cdn/2"))

    await ask(turn_of(UserMessage("m", 1, "look", media)), "openai-chat")

    assert asked()["messages"][-1]["content"] == [
        {"type": "text", "text": "look\n[audio] https://cdn/2"},
        {"type": "image_url", "image_url": {"url": "https://cdn/1"}},
    ]


async def test_the_story_ad_or_product_that_is_meant_is_a_line_before_the_text(
    agent_server, ask, asked, turn_of
):
    agent_server.says(completion("ok"))
    context = {"story_id": "1", "story_url": "https://cdn/s", "ad_title": "Spring", "ref": "x"}

    await ask(turn_of(UserMessage("m", 1, "How much?", context=context)), "openai-chat")

    assert asked()["messages"][-1]["content"] == (
        "[reply to story] https://cdn/s\n[came from ad] Spring\nHow much?"
    )


# --- a JSON answer ----------------------------------------------------------


async def test_a_completion_is_text(agent_server, ask, turn):
    agent_server.says(completion("It left today."))

    assert await ask(turn, "openai-chat") == [Text("It left today.")]


# OpenAI's types have text alone here; Mistral, Databricks and gateways send parts.
PARTS = [
    pytest.param([{"type": "text", "text": "We open at nine."}], id="text"),
    pytest.param([{"type": "output_text", "text": "We open at nine."}], id="output-text"),
    pytest.param(["We open ", {"type": "text", "text": "at nine."}], id="plain-string-beside-part"),
    pytest.param(
        [
            {"type": "thinking", "thinking": [{"type": "text", "text": "margin 40 %"}]},
            {"type": "text", "text": "We open at nine."},
        ],
        id="thinking",
    ),
    pytest.param(
        [
            {"type": "reasoning", "text": "margin 40 %"},
            {"type": "text", "text": "We open "},
            {"type": "reference", "reference_ids": [1], "text": "[1]"},
            {"type": "text", "text": None},
            {"text": "of no type"},
            {"type": "text", "text": "at nine."},
        ],
        id="reasoning-and-unknown",
    ),
]


@pytest.mark.parametrize("content", PARTS)
async def test_content_as_parts_is_their_text(agent_server, ask, turn, content):
    agent_server.says({"choices": [{"message": {"role": "assistant", "content": content}}]})

    assert await ask(turn, "openai-chat") == [Text("We open at nine.")]


@pytest.mark.parametrize("content", PARTS)
async def test_parts_in_a_streams_deltas_are_their_text(agent_server, ask, turn, content):
    deltas = [{"choices": [{"delta": {"content": [part]}}]} for part in content]
    agent_server.streams(*[f"data: {json.dumps(it)}\n\n".encode() for it in deltas], DONE)

    assert await ask(turn, "openai-chat") == [Text("We open at nine.")]


async def test_an_answer_of_thoughts_alone_is_empty(agent_server, ask, turn):
    content = [{"type": "thinking", "thinking": [{"type": "text", "text": "margin 40 %"}]}]
    agent_server.says({"choices": [{"message": {"content": content}}]})

    assert await ask(turn, "openai-chat") == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(completion(None, "tool_calls", tool_calls=[TOOL_CALL]), id="tool-calls-only"),
        pytest.param(completion("It l", "content_filter"), id="content-filter"),
        pytest.param(completion(None), id="null"),
        pytest.param(completion(""), id="empty"),
    ],
)
async def test_a_model_with_nothing_to_say_gives_an_empty_answer(agent_server, ask, turn, answer):
    agent_server.says(answer)

    assert await ask(turn, "openai-chat") == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param({"error": {"code": 429, "message": "m"}}, Transient, id="code-429"),
        pytest.param({"error": {"code": 502, "message": "m"}}, Transient, id="code-502"),
        pytest.param({"error": {"code": 402, "message": "m"}}, Permanent, id="code-402"),
        pytest.param({"error": {"code": "bad", "message": "m"}}, Permanent, id="code-in-words"),
        pytest.param({"error": "m"}, Permanent, id="words"),
        pytest.param({"choices": []}, Permanent, id="no-choices"),
        pytest.param({"choices": [None]}, Permanent, id="null-choice"),
        pytest.param({"choices": [{"message": None}]}, Permanent, id="null-message"),
        pytest.param({"choices": {"0": {}}}, Permanent, id="choices-no-list"),
    ],
)
async def test_an_error_in_a_success_is_still_an_error(agent_server, ask, turn, answer, error):
    agent_server.says(answer)

    with pytest.raises(error, match="agent"):
        await ask(turn, "openai-chat")


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(
            {"code": 404, "message": "No model"},
            "agent answered 404: check agent.url and agent.model; the server says: 404: No model",
            id="status",
        ),
        pytest.param(
            {"type": "overloaded_error", "message": "Overloaded"},
            "the server says: overloaded_error: Overloaded",
            id="words",
        ),
        pytest.param(
            {"message": "no Where is my order?"},
            "an error (of an unknown kind)",
            id="the-persons-words",
        ),
    ],
)
async def test_an_error_in_a_success_is_told_in_the_servers_words(
    agent_server, ask, turn, streams, error, reason
):
    agent_server.says({"error": error})
    if streams:
        agent_server.streams(f"data: {json.dumps({'error': error})}\n\n".encode())

    with pytest.raises((Permanent, Transient)) as caught:
        await ask(turn, "openai-chat")

    assert str(caught.value).endswith(reason)


# --- a stream, which some servers send unasked -------------------------------


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(chunk({"delta": {}, "finish_reason": "stop"}) + DONE, id="reason-and-done"),
        pytest.param(chunk({"delta": {}, "finish_reason": "stop"}), id="reason-only"),
        pytest.param(DONE, id="done-only"),
    ],
)
async def test_a_stream_is_joined(agent_server, ask, turn, end):
    agent_server.streams(
        chunk(),
        chunk({"delta": {"role": "assistant", "content": ""}}),
        chunk({"delta": {"content": "It left "}}),
        chunk({"delta": {"content": "today 🎉"}}),
        end,
    )

    assert await ask(turn, "openai-chat") == [Text("It left today 🎉")]


async def test_a_stream_that_the_content_filter_stops_is_an_empty_answer(agent_server, ask, turn):
    agent_server.streams(
        chunk({"delta": {"content": "It l"}}),
        chunk({"delta": {}, "finish_reason": "content_filter"}),
        DONE,
    )

    assert await ask(turn, "openai-chat") == []


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"", id="cut-off"),
        pytest.param(b'data: {"error": {"message": "overloaded"}}\n\n', id="error"),
    ],
)
async def test_a_stream_that_fails_is_transient(agent_server, ask, turn, end):
    agent_server.streams(chunk({"delta": {"content": "It l"}}), end)

    with pytest.raises(Transient, match="stream"):
        await ask(turn, "openai-chat")


async def test_a_stream_without_end_is_cut_at_the_limit(agent_server, ask, turn):
    agent_server.streams(*[chunk({"delta": {"content": "a" * 400}})] * 3)

    with pytest.raises(Permanent, match="max_answer"):
        await ask(turn, "openai-chat", max_answer=1000)


# --- what is refused for its length or for a picture --------------------------

PAST = (
    HistoryLine("user", "one"),
    HistoryLine("assistant", "first answer"),
    HistoryLine("user", "two"),
    HistoryLine("assistant", "answer two"),
)
PHOTO = UserMessage("m", 1, "How much?", (Attachment("image", "https://cdn/1"),))


def refusing(agent_server, refusal: dict, status: int, is_refused) -> None:
    """Let *agent_server* refuse each request that *is_refused*, and answer the others."""

    async def respond(_request):
        if not is_refused(agent_server.bodies[-1]["messages"]):
            return web.json_response(completion("It is 12 €."))
        if status != 200:
            return web.json_response(refusal, status=status)
        frame = f"data: {json.dumps(refusal)}\n\n"
        return web.Response(text=frame, content_type="text/event-stream")

    agent_server.respond = respond


def contents(agent_server) -> list[list[object]]:
    return [[message["content"] for message in body["messages"]] for body in agent_server.bodies]


LLAMA = {"code": 400, "type": "exceed_context_size_error", "message": "too large", "n_ctx": 512}
VLLM = {"code": 400, "type": "BadRequestError", "message": "too large", "param": "input_tokens"}
TOO_LONG = [
    pytest.param({"error": LLAMA}, 400, id="llama.cpp"),
    pytest.param({"error": VLLM}, 400, id="vllm"),
    pytest.param({"error": {"code": "context_length_exceeded"}}, 400, id="openai"),
    pytest.param({"detail": "no"}, 413, id="gateway"),
    pytest.param({"error": LLAMA}, 200, id="llama.cpp-frame"),
    pytest.param({"error": {"code": "400", "message": "no"}}, 200, id="litellm-frame"),
    pytest.param(
        {"error": {"type": "invalid_request_error", "code": "context_length_exceeded"}},
        200,
        id="openai-frame",
    ),
]


@pytest.mark.parametrize(("refusal", "status"), TOO_LONG)
async def test_a_history_that_is_too_long_is_sent_by_half_then_not_at_all(
    agent_server, ask, turn_of, refusal, status
):
    refusing(agent_server, refusal, status, lambda messages: len(messages) > 1)

    with capture_logs() as logs:
        parts = await ask(turn_of(UserMessage("m", 1, "And?"), history=PAST), "openai-chat")

    assert parts == [Text("It is 12 €.")]
    assert contents(agent_server) == [
        ["one", "first answer", "two", "answer two", "And?"],
        ["two", "answer two", "And?"],
        ["And?"],
    ]
    assert [(line["event"], line["left_out"]) for line in logs] == [
        ("agent.asked_for_less", "history")
    ] * 2


async def test_half_of_a_history_that_fits_is_kept(agent_server, ask, turn_of):
    refusing(agent_server, {"error": LLAMA}, 400, lambda messages: len(messages) > 3)

    await ask(turn_of(UserMessage("m", 1, "And?"), history=PAST), "openai-chat")

    assert contents(agent_server)[1:] == [["two", "answer two", "And?"]]


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 500])
async def test_no_other_refusal_shortens_the_history(agent_server, ask, turn_of, status):
    agent_server.says({"error": {"message": "no"}}, status=status)

    with pytest.raises((Permanent, Transient)):
        await ask(turn_of(UserMessage("m", 1, "And?"), history=PAST), "openai-chat")

    assert len(agent_server.bodies) == 1


@pytest.mark.parametrize(
    "error",
    [
        pytest.param({"message": "Authentication Error, Invalid token passed"}, id="key"),
        pytest.param({"message": "Invalid model name passed in model=m"}, id="model"),
    ],
)
async def test_a_400_that_names_a_key_or_a_model_is_asked_once(agent_server, ask, turn_of, error):
    agent_server.says({"error": error}, status=400)

    with pytest.raises(Permanent, match=error["message"]):
        await ask(turn_of(PHOTO, history=PAST), "openai-chat")

    assert len(agent_server.bodies) == 1


async def test_a_question_that_is_too_long_by_itself_is_permanent(agent_server, ask, turn):
    agent_server.says({"error": LLAMA}, status=400)

    with pytest.raises(Permanent, match="exceed_context_size_error"):
        await ask(turn, "openai-chat")

    assert len(agent_server.bodies) == 1


@pytest.mark.parametrize("status", [400, 404, 415, 422, 500, 200])
async def test_a_model_without_eyes_is_asked_again_without_the_picture(
    agent_server, ask, turn_of, status
):
    error = {"code": 500, "message": "image input is not supported"}
    refusing(
        agent_server,
        {"error": error},
        status,
        lambda messages: not isinstance(messages[-1]["content"], str),
    )

    parts = await ask(turn_of(PHOTO, UserMessage("n", 2, "Open?"), history=PAST), "openai-chat")

    assert parts == [Text("It is 12 €.")]
    _, again = contents(agent_server)
    assert again == [line.text for line in PAST] + ["How much?\n[image] https://cdn/1\nOpen?"]


async def test_a_long_history_is_shortened_before_the_picture_goes(agent_server, ask, turn_of):
    refusing(agent_server, {"error": LLAMA}, 400, lambda messages: len(messages) > 1)

    await ask(turn_of(PHOTO, history=PAST), "openai-chat")

    assert isinstance(contents(agent_server)[-1][0], list)


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_a_refusal_that_is_not_about_pictures_leaves_them(agent_server, ask, turn_of, status):
    agent_server.says({"error": {"message": "no"}}, status=status)

    with pytest.raises((Permanent, Transient)):
        await ask(turn_of(PHOTO), "openai-chat")

    assert len(agent_server.bodies) == 1


async def test_a_500_without_a_reason_names_the_missing_key(agent_server, ask, turn):
    agent_server.sends(b"Internal Server Error", "text/plain", 500)

    with pytest.raises(Transient, match=r"agent answered 500: no agent\.api_key is set$"):
        await ask(turn, "openai-chat")


# --- tools ------------------------------------------------------------------

IMAGE = '{"image": "https://shop.example/a.png"}'
PICTURE = Media("image", "https://shop.example/a.png")


@pytest.fixture
def asked_each(agent_server):
    """Every request that the server got, which OpenAI's types accept and don't change."""

    def asked_each() -> list[dict]:
        for body in agent_server.bodies:
            assert REQUEST.validate_python(body).keys() == body.keys()
            for message in body["messages"]:
                assert MESSAGE.validate_python(message).keys() == message.keys()
            for tool in body.get("tools", []):
                assert TOOL.validate_python(tool) == tool
        return agent_server.bodies

    return asked_each


async def test_tools_are_offered_carried_out_and_their_results_go_back(
    agent_server, ask, turn, asked_each
):
    agent_server.says_each(
        calls(("send_image", IMAGE), ("react", "{"), content="Look:"), completion("Nice?")
    )

    parts = await ask(turn, "openai-chat", tools=("send_image", "react"))

    first, second = asked_each()
    assert parts == [Text("Look:"), MessageEnd(), PICTURE, MessageEnd(), Text("Nice?")]
    assert [tool["function"]["name"] for tool in first["tools"]] == ["send_image", "react"]
    assert second["messages"][: len(first["messages"])] == first["messages"]
    said, done, wrong = second["messages"][len(first["messages"]) :]
    assert (said["content"], len(said["tool_calls"])) == ("Look:", 2)
    assert (done["tool_call_id"], done["content"][:4]) == ("call-0", "Done")
    assert (wrong["tool_call_id"], wrong["content"][:5]) == ("call-1", "Error")
    keys = [request.headers["Idempotency-Key"] for request in agent_server.asked]
    assert keys == [turn.id, f"{turn.id}-2"]


async def test_in_the_last_request_no_tool_may_be_called(agent_server, ask, turn, asked_each):
    agent_server.says(calls(("send_image", IMAGE)))

    await ask(turn, "openai-chat", tools=("send_image",))

    choices = [body.get("tool_choice") for body in asked_each()]
    assert choices == [*[None] * (MAX_REQUESTS - 1), "none"]


async def test_a_call_without_tools_on_offer_is_an_empty_answer(agent_server, ask, turn):
    agent_server.says(calls(("send_image", IMAGE)))

    assert await ask(turn, "openai-chat") == []
    assert "tools" not in agent_server.bodies[0]


async def test_a_server_that_refuses_tools_is_asked_without_them(agent_server, ask, turn):
    refusal = {"error": {"message": "m does not support tools", "type": "api_error"}}
    agent_server.says_each((400, refusal), completion("Hi"))

    with capture_logs() as logs:
        parts = await ask(turn, "openai-chat", tools=("react",))

    assert parts == [Text("Hi")]
    assert ["tools" in body for body in agent_server.bodies] == [True, False]
    assert [(line["event"], line["left_out"]) for line in logs] == [
        ("agent.asked_for_less", "tools")
    ]


async def test_other_refusals_are_not_cured_by_leaving_tools_out(agent_server, ask, turn):
    agent_server.says({"error": {"message": "Incorrect API key provided"}}, 401)

    with pytest.raises(Permanent):
        await ask(turn, "openai-chat", tools=("react",))

    assert len(agent_server.asked) == 1


async def test_calls_in_a_stream_are_put_together(agent_server, ask, turn, asked_each):
    def piece(index: int, arguments: str, **fields: object) -> dict:
        function = {"arguments": arguments, **fields.pop("function", {})}  # type: ignore[dict-item]  # given as such
        return {"index": index, "type": "function", "function": function, **fields}

    begun = piece(0, "", id="a", function={"name": "send_image"})
    agent_server.streams_each(
        [
            chunk({"delta": {"role": "assistant", "content": "Look:", "tool_calls": [begun]}}),
            chunk({"delta": {"tool_calls": [piece(0, IMAGE[:9])]}}),
            chunk({"delta": {"tool_calls": [piece(0, IMAGE[9:])]}}),
            chunk({"delta": {"tool_calls": [piece(1, "{}", id="b", function={"name": "react"})]}}),
            chunk({"delta": {}, "finish_reason": "tool_calls"}),
            DONE,
        ],
        [chunk({"delta": {"content": "Nice?"}}), chunk({"delta": {}, "finish_reason": "stop"})],
    )

    parts = await ask(turn, "openai-chat", tools=("send_image", "react"))

    assert parts == [Text("Look:"), MessageEnd(), PICTURE, MessageEnd(), Text("Nice?")]
    called = asked_each()[1]["messages"][-3]["tool_calls"]
    assert [(it["id"], it["function"]["name"]) for it in called] == [
        ("a", "send_image"),
        ("b", "react"),
    ]


async def test_blanks_beside_a_call_are_no_message(agent_server, ask, turn):
    function = {"name": "send_image", "arguments": IMAGE}
    agent_server.streams_each(
        [
            chunk({"delta": {"content": "\n\n"}}),
            chunk({"delta": {"tool_calls": [{"index": 0, "id": "a", "function": function}]}}),
            chunk({"delta": {}, "finish_reason": "tool_calls"}),
        ],
        [chunk({"delta": {"content": "Nice?"}, "finish_reason": "stop"})],
    )

    parts = await ask(turn, "openai-chat", tools=("send_image",))

    assert parts == [PICTURE, MessageEnd(), Text("Nice?")]


async def test_a_request_that_fails_behind_words_does_not_begin_anew(
    agent_server, client_session, turn
):
    refusal = (400, {"error": {"message": "m does not support tools"}})
    agent_server.says_each(calls(("send_image", IMAGE), content="Look:"), refusal)
    settings = AgentSettings("openai-chat", agent_server.url, model="m", tools=("send_image",))
    parts = build_agent(settings, client_session).answer(turn)

    assert await anext(parts) == Text("Look:")
    with pytest.raises(Permanent):
        [it async for it in parts]
    assert len(agent_server.asked) == 2
