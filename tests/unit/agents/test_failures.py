"""Failures that come with a 200, in the shapes of real servers."""

from __future__ import annotations

import pytest

from ak_instagram.agents.failures import failure, failure_in
from ak_instagram.errors import Permanent, Transient


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param({"reply": "Hello"}, None, id="an-answer"),
        pytest.param({"error": None, "output": "Hello"}, None, id="an-empty-error"),
        pytest.param({"status": "COMPLETED", "content": "Hello"}, None, id="agno-completed"),
        pytest.param({"result": {"status": {"state": "completed"}}}, None, id="a2a-completed"),
        pytest.param(["Hello"], None, id="a-list"),
        pytest.param({"error": "boom"}, "boom", id="n8n-continue-on-error"),
        pytest.param(
            {"__error__": {"error": "ValueError", "message": "boom"}}, "boom", id="langgraph"
        ),
        pytest.param(
            {"jsonrpc": "2.0", "error": {"code": -32603, "message": "boom"}},
            "-32603: boom",
            id="json-rpc",
        ),
        pytest.param({"status": "ERROR", "content": "boom"}, "ERROR", id="agno-error"),
        pytest.param({"result": {"status": {"state": "failed"}}}, "failed", id="a2a-0.3"),
        pytest.param(
            {"result": {"status": {"state": "TASK_STATE_FAILED"}}},
            "TASK_STATE_FAILED",
            id="a2a-1.0",
        ),
        pytest.param({"errorCode": "SAFETY"}, "SAFETY", id="google-adk"),
    ],
)
def test_a_failure_is_told_from_an_answer(document, words):
    assert failure_in(document) == words


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Error code: 401 - bad key", Permanent),
        ("Invalid API configuration or credentials.", Permanent),
        ("Incorrect API key provided", Permanent),
        ("model 'x' not found", Permanent),
        ("Event loop is closed", Transient),
        ("rate limit reached", Transient),
        ("order 4012 is late", Transient),
    ],
)
def test_only_what_no_attempt_cures_is_final(words, kind):
    assert isinstance(failure(words, "why"), kind)
