"""An answer of any endpoint is read as the settings say."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ak_instagram.agents.adapters.http.reading import Reading, compile_reading, document_of
from ak_instagram.agents.agent import (
    Handoff,
    MessageEnd,
    Option,
    QuickReplies,
    Silence,
    Text,
    Turn,
    UserMessage,
)
from ak_instagram.agents.body import Body
from ak_instagram.errors import Permanent, Transient

TURN = Turn("t", "s", "a", "c", (UserMessage("m", 1, "hi"),))


def reading(
    reply: str = "reply", outcomes: Mapping[str, str] | None = None, *, is_stream: bool = False
) -> Reading:
    """Return what these settings describe."""
    problems: list[str] = []
    found = compile_reading(reply, outcomes or {}, is_stream=is_stream, problems=problems)
    assert problems == []
    return found


# --- where the reply is -----------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "document", "parts"),
    [
        pytest.param("a, b", {"a": "", "b": "x"}, [Text("x")], id="first-with-something"),
        pytest.param("a, b", {"a": "x", "b": "y"}, [Text("x")], id="first"),
        pytest.param("a, b", {"b": None}, [], id="only-null"),
        pytest.param(
            "parts.*.text",
            {"parts": [{"text": "a"}, {"text": "b"}]},
            [Text("a"), MessageEnd(), Text("b")],
            id="each-a-message",
        ),
        pytest.param(
            "parts.+.text", {"parts": [{"text": "a"}, {"text": "b"}]}, [Text("ab")], id="joined"
        ),
        pytest.param(
            "output",
            [{"output": "one"}, {"output": "two"}],
            [Text("one"), MessageEnd(), Text("two")],
            id="list-of-objects",
        ),
        pytest.param(
            "reply",
            {"reply": {"text": "Which?", "quick_replies": [{"title": "Red"}]}},
            [Text("Which?"), QuickReplies((Option("Red", "Red"),))],
            id="rich-message",
        ),
        pytest.param(
            "reply",
            {"messages": [{"text": "a"}, "b"], "handoff": "why"},
            [Text("a"), MessageEnd(), Text("b"), Handoff("why")],
            id="answer-schema",
        ),
        pytest.param("reply", {"reply": {"messages": ["a"]}}, [Text("a")], id="schema-at-the-path"),
        pytest.param(".", {"text": "a", "handoff": True}, [Text("a"), Handoff()], id="whole"),
        pytest.param(".", {"handoff": True}, [Handoff()], id="wish-alone"),
        pytest.param("reply", "Hello", [Text("Hello")], id="bare-text"),
        pytest.param("reply", [], [], id="no-items"),
    ],
)
def test_the_reply_is_found(reply, document, parts):
    assert reading(reply).parts(document, TURN) == parts


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param({"x": 1}, "nothing at `reply`, `b` (agent.reply)", id="nowhere"),
        pytest.param({"reply": 7}, "no reply at `reply`: it is a number", id="number"),
        pytest.param({"reply": {"x": 1}}, "no reply at `reply`: it has none of", id="object"),
        pytest.param({"reply": ["a", 7]}, "at `reply`: item 1 there is a number", id="item"),
        pytest.param({"messages": [{"content": "a"}]}, "nothing at `reply`", id="no-schema"),
        pytest.param(
            {"messages": [{"text": "a"}, {"text": 1}]}, "item 1 there.text is a number", id="type"
        ),
    ],
)
def test_a_reply_that_is_none_is_told_without_its_words(document, reason):
    with pytest.raises(Permanent) as caught:
        reading("reply, b").parts(document, TURN)

    assert reason in str(caught.value)


# --- conditions beside it ---------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "parts"),
    [
        pytest.param("answer", [Text("a")], id="answer"),
        pytest.param("silence", [Silence()], id="silence"),
        pytest.param("handoff", [Handoff("agent's answer has `status == X`")], id="handoff"),
    ],
)
def test_a_condition_decides_about_the_answer(outcome, parts):
    document = {"status": "X", "reply": "a"}

    assert reading(outcomes={"status == X": outcome}).parts(document, TURN) == parts


@pytest.mark.parametrize(("outcome", "error"), [("later", Transient), ("never", Permanent)])
def test_a_condition_tells_later_from_never(outcome, error):
    with pytest.raises(error, match="status == X"):
        reading(outcomes={"status == X": outcome}).parts({"status": "X", "reply": "a"}, TURN)


def test_the_first_condition_that_holds_counts():
    rules = {"status == PAUSED": "handoff", "status != COMPLETED": "later"}

    [part] = reading(outcomes=rules).parts({"status": "PAUSED"}, TURN)
    with pytest.raises(Transient):
        reading(outcomes=rules).parts({"status": "RUNNING", "reply": "a"}, TURN)

    assert isinstance(part, Handoff)
    assert reading(outcomes=rules).parts({"status": "COMPLETED", "reply": "a"}, TURN) == [Text("a")]


def test_a_condition_overrules_what_looks_like_a_failure():
    document = {"error": "none so far", "reply": "a"}

    assert reading().failure(document) is not None
    assert reading(outcomes={"error": "answer"}).failure(document) is None


# --- streams ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "parts"),
    [
        pytest.param({"type": "item", "delta": "a"}, [Text("a")], id="piece"),
        pytest.param({"type": "item"}, [], id="without-text"),
        pytest.param({"type": "log", "delta": "a"}, [], id="skipped"),
        pytest.param({"type": "next", "delta": "a"}, [Text("a"), MessageEnd()], id="next"),
        pytest.param({"type": "end"}, [], id="end"),
    ],
)
def test_a_frame_adds_to_the_answer(frame, parts):
    rules = {"type == next": "next", "type == end": "end", "type != item": "skip"}

    assert reading("delta", rules, is_stream=True).parts_of_frame(frame) == parts


def test_a_frame_may_end_the_stream_or_all_attempts():
    stream = reading("delta", {"type == end": "end", "type == bad": "never"}, is_stream=True)

    assert stream.expects_end
    assert [stream.is_last({"type": it}) for it in ("item", "end")] == [False, True]
    with pytest.raises(Permanent):
        stream.parts_of_frame({"type": "bad"})


# --- what a body is ---------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "content_type", "document"),
    [
        pytest.param(b'{"a": 1}', "text/html", {"a": 1}, id="json-whatever-its-type"),
        pytest.param(b"Sure!", "text/plain", "Sure!", id="text"),
        pytest.param(b"Sure!", "text/html", "Sure!", id="text-called-html"),
        pytest.param(b"Sure!", "application/octet-stream", "Sure!", id="text-without-type"),
        pytest.param(b"[Note] Sure!", "text/plain", "[Note] Sure!", id="brackets"),
        pytest.param(b"42", "text/plain", "42", id="digits"),
        pytest.param(b'"Sure!"', "application/json", "Sure!", id="json-text"),
        pytest.param(b"", "application/json", "", id="nothing"),
        pytest.param(b" \r\n", "text/plain", "", id="blank"),
    ],
)
def test_a_body_is_json_a_text_or_nothing(data, content_type, document):
    assert document_of(Body(200, content_type, None, data)) == document


@pytest.mark.parametrize(
    ("data", "content_type", "error"),
    [
        pytest.param(b"<h1>Starting", "text/html", Transient, id="page"),
        pytest.param(b'{"a": "b', "text/plain", Transient, id="cut"),
        pytest.param(b"n8n is starting up. Please wait", "text/html", Transient, id="starting"),
        pytest.param(b"{a: 1}", "text/plain", Permanent, id="nearly-json"),
        pytest.param(b"Sure!", "application/json", Permanent, id="text-called-json"),
        pytest.param(b"data: Sure!\n\n", "text/plain", Permanent, id="stream"),
        pytest.param(b"\xff\xfe\x00", "text/plain", Permanent, id="bytes"),
    ],
)
def test_what_is_no_answer_does_not_reach_the_person(data, content_type, error):
    with pytest.raises(error):
        document_of(Body(200, content_type, None, data))


# --- the settings -----------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "outcomes", "problems"),
    [
        pytest.param("a,,b", {}, ["agent.reply: has nothing between two commas"], id="commas"),
        pytest.param("a..b", {}, ["agent.reply: `a..b` has an empty step"], id="path"),
        pytest.param(
            "a", {"s = X": "later"}, ["agent.outcomes: `s = X` is no condition"], id="condition"
        ),
        pytest.param(
            "a",
            {"s == X": "handof"},
            ["agent.outcomes: `handof` is no outcome; did you mean handoff?"],
            id="outcome",
        ),
        pytest.param(
            "a",
            {"s == X": "skip"},
            ["agent.outcomes: `skip` is no outcome; there are answer, silence"],
            id="of-streams-alone",
        ),
    ],
)
def test_a_typo_is_a_problem(reply, outcomes, problems):
    found: list[str] = []

    compile_reading(reply, outcomes, is_stream=False, problems=found)

    assert [line[: len(it)] for line, it in zip(found, problems, strict=True)] == problems
