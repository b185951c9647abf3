"""A failure that comes within a success is told, and so is the person's own text."""

from __future__ import annotations

import pytest

from ak_instagram.agents.agent import Text, Turn, UserMessage
from ak_instagram.agents.answers import ask
from ak_instagram.agents.failures import MARKS, failure, failure_in, is_from_person
from ak_instagram.errors import Permanent, Transient
from tests.support.fakes import FakeAgent

TURN = Turn("t", "s", "a", "c", (UserMessage("m", 1, "Where is it?"), UserMessage("n", 2, "M")))

FAILED_TASK = {
    "id": "t",
    "status": {"state": "TASK_STATE_FAILED", "message": {"parts": [{"text": "429 from host"}]}},
}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param(
            {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "boom"}},
            "-32603: boom",
            id="json-rpc",
        ),
        pytest.param(
            {"error": {"type": "server_error", "message": "boom"}},
            "server_error: boom",
            id="openai",
        ),
        pytest.param(
            {"__error__": {"error": "ValueError", "message": "boom"}, "messages": []},
            "ValueError: boom",
            id="langgraph",
        ),
        pytest.param(
            {"run_id": "r", "status": "ERROR", "content": "boom"}, "ERROR: boom", id="agno"
        ),
        pytest.param(
            {"run_id": "r", "status": "CANCELLED", "content": "gone"},
            "CANCELLED: gone",
            id="agno-cancelled",
        ),
        pytest.param({"state": "failed", "message": "boom"}, "failed: boom", id="state"),
        pytest.param(
            {"result": {"task": FAILED_TASK}}, "TASK_STATE_FAILED: 429 from host", id="a2a"
        ),
        pytest.param({"result": FAILED_TASK}, "TASK_STATE_FAILED: 429 from host", id="a2a-0.3"),
        pytest.param({"task": FAILED_TASK}, "TASK_STATE_FAILED: 429 from host", id="a2a-rest"),
        pytest.param(
            [
                {"invocationId": "i", "content": {"parts": [{"text": "Let me look."}]}},
                {"invocationId": "i", "errorCode": "SAFETY", "errorMessage": "blocked"},
            ],
            "SAFETY: blocked",
            id="adk",
        ),
        pytest.param({"errorCode": "SAFETY"}, "SAFETY: ", id="adk-event"),
        pytest.param({"error": "boom"}, "boom", id="n8n-continue-on-error"),
        pytest.param({"error": True}, "error", id="no-words"),
    ],
)
def test_a_failure_is_known_by_its_shape(document, words):
    assert failure_in(document) == words
    assert not isinstance(document, dict) or MARKS & document.keys()


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"reply": "ok", "error": None, "errorCode": None}, id="nulls"),
        pytest.param({"reply": "ok", "errorCode": 0, "errorMessage": ""}, id="code-0"),
        pytest.param({"reply": "Yours is cancelled.", "status": "cancelled"}, id="an-orders-state"),
        pytest.param({"reply": "ok", "status": "COMPLETED"}, id="completed"),
        pytest.param({"reply": "ok", "status": 200}, id="number"),
        pytest.param({"result": {"status": {"state": "completed"}}}, id="a2a"),
        pytest.param([{"text": "a", "status": "failed"}], id="records"),
        pytest.param("Error in your order? Write to us.", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_an_answer_is_no_failure(document):
    assert failure_in(document) is None


@pytest.mark.parametrize(
    ("words", "error", "kind", "attempts"),
    [
        pytest.param("Incorrect API key provided", Permanent, "credentials", None, id="key"),
        pytest.param("litellm.BadRequestError: no", Permanent, "refused", None, id="request"),
        pytest.param("model_not_found: gpt-9", Permanent, "model", None, id="model"),
        pytest.param("maximum context length is 512", Permanent, "too long", None, id="context"),
        pytest.param("Error code: 529 - overloaded", Transient, "unavailable", None, id="529"),
        pytest.param("ValueError: boom", Transient, "unknown", 3, id="unknown"),
    ],
)
def test_the_words_decide_how_often_it_is_tried_and_the_kind_is_named(words, error, kind, attempts):
    told = failure(words, "agent failed", "")

    assert type(told) is error
    assert kind in str(told)
    assert getattr(told, "attempts", None) == attempts


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("Error code: 429 - {'error': {'message': 'no'}}", Transient, id="openai"),
        pytest.param("Error: Error code: 401 - {'error': 'no'}", Permanent, id="wrapped"),
        pytest.param("litellm.RateLimitError: RateLimitError: no", Transient, id="litellm"),
    ],
)
async def test_the_text_of_an_exception_is_no_answer_of_any_agent(text, error):
    with pytest.raises(error, match="agent's answer is an error"):
        await ask(FakeAgent([Text(text)]), TURN, 1000, 5.0)


async def test_an_agent_may_repeat_an_exception_that_the_person_wrote():
    text = "Error code: 429 - what is that?"
    turn = Turn("t", "s", "a", "c", (UserMessage("m", 1, text),))

    assert await ask(FakeAgent([Text(text)]), turn, 1000, 5.0) == [Text(text)]


@pytest.mark.parametrize(
    ("document", "path", "is_own"),
    [
        pytest.param(
            {"messages": [{"type": "human", "content": "anything"}]},
            "messages.-1.content",
            True,
            id="langgraph",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
            "messages.-1.content.0.text",
            True,
            id="parts",
        ),
        pytest.param(
            {"messages": [{"id": ["langchain", "HumanMessage"], "kwargs": {"content": "x"}}]},
            "messages.0.kwargs.content",
            True,
            id="langchain",
        ),
        pytest.param(
            {"messages": [{"content": "Where is it?"}]}, "messages.-1.content", True, id="no-role"
        ),
        pytest.param(
            {"messages": [{"type": "ai", "content": "M"}]}, "messages.-1.content", False, id="ai"
        ),
        pytest.param({"reply": "M"}, "reply", False, id="a-size-repeated"),
        pytest.param({"replies": ["M"]}, "replies.0", False, id="texts"),
        pytest.param("M", "", False, id="whole"),
        pytest.param({"messages": []}, "messages.-1.content", False, id="empty"),
        pytest.param({}, "messages.-1.content", False, id="nothing"),
        pytest.param(None, "messages.-1.content", False, id="null"),
    ],
)
def test_a_message_of_the_persons_is_known(document, path, is_own):
    assert is_from_person(document, path, TURN) is is_own
