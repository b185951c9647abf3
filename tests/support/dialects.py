"""
Dialects: how each adapter's protocol says what all of them say, and the cases they are put to.

A new adapter gets a dialect here, and is in the suite and in the table of docs/agents.md.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from tests.contract.agents.conftest import AgentServer

Serve: TypeAlias = "Callable[[AgentServer], None]"
Json: TypeAlias = dict[str, Any]

# Outcomes, in the words of the table.
ANSWER, TWO, SILENCE = "answer", "2 messages", "silence"
LATER, NEVER, PERSON = "later", "never", "person"
WAITS = "waits"
STOPPED = "stopped"
NONE = "-"

PATIENCE = 0.2  # seconds that a case of a time-out takes
LIMIT = 1000  # bytes of `agent.max_answer` in the suite


@dataclass(frozen=True)
class Dialect:
    """
    An adapter's protocol.

    *answer* wraps a text as the server does, *prompt* and *session* find the person's words
    and the conversation in a request. *special* has the cases that differ between protocols,
    each with what is expected; one that is not there does not exist in this protocol.
    With *takes_text* a body that is no JSON, or empty, is an answer.
    With *only_streams* the answer is a list of frames, which are streamed. *streams_by* are the
    settings with which an adapter reads streams that otherwise does not.
    *aside* answers requests that come before the question, by method, path and body.
    """

    adapter: str
    answer: Callable[[object], object]
    prompt: Callable[[Json], str]
    session: Callable[[Json], str]
    special: Mapping[str, tuple[Serve, str]] = field(default_factory=dict)
    asks_model: bool = False
    wants_history: bool = False
    takes_text: bool = False
    only_streams: bool = False
    streams_by: Json = field(default_factory=dict)
    aside: Callable[[str, str, Json], object | None] = lambda _method, _path, _body: None

    def __str__(self) -> str:
        return self.adapter


@dataclass(frozen=True)
class Case:
    """
    Trouble or not, as a server makes it.

    *serve* is `None` if each protocol has its own way, or none. *cancels* says that the
    question is given up on once it has arrived.
    """

    name: str
    outcome: str = ""
    serve: Callable[[AgentServer, Dialect], None] | None = None
    cancels: bool = False

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    def expected(self, dialect: Dialect) -> str:
        """Return the outcome with *dialect*."""
        return dialect.special[self.name][1] if self.name in dialect.special else self._general

    def settings(self, dialect: Dialect) -> Json:
        """Return what is set for it, besides the adapter."""
        return dialect.streams_by if "stream" in self.name else {}

    def begin(self, server: AgentServer, dialect: Dialect) -> None:
        """Make *server* do it."""
        if self.name in dialect.special:
            dialect.special[self.name][0](server)
        elif self.serve is not None:
            self.serve(server, dialect)

    @property
    def _general(self) -> str:
        return NONE if self.serve is None else self.outcome


# --- serving ----------------------------------------------------------------


def says(body: object, status: int = 200) -> Serve:
    """Answer with JSON."""
    return lambda server: server.says(body, status)


def streams(*frames: object) -> Serve:
    """Stream *frames* as server-sent events; a string is sent as it is."""
    texts = (it if isinstance(it, str) else json.dumps(it) for it in frames)
    chunks = [f"data: {text}\n\n".encode() for text in texts]
    return lambda server: server.streams(*chunks)


def _response(text: object, **fields: object) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"id": "r", "status": "completed", "output": [_message(content)], **fields}


def _message(content: object, **fields: object) -> Json:
    return {"type": "message", "role": "assistant", "content": content, **fields}


def _text(text: str) -> Callable[[AgentServer, Dialect], None]:
    return lambda server, dialect: server.says(dialect.answer(text))


def _refuses(status: int, **headers: str) -> Callable[[AgentServer, Dialect], None]:
    body = {"error": {"message": "as it is", "type": "error"}}
    return lambda server, _: server.says(
        body, status, {k.replace("_", "-"): v for k, v in headers.items()}
    )


def _cut_gzip(server: AgentServer, dialect: Dialect) -> None:
    packed = gzip.compress(json.dumps(dialect.answer(" ".join(map(str, range(5000))))).encode())
    server.sends(packed[: len(packed) // 2], "application/json", encoding="gzip")


CASES = [
    Case("one message", ANSWER, _text("It left today.")),
    Case("several messages"),
    Case("empty answer", SILENCE, _text("")),
    Case("refusal"),
    Case("asks the person back"),
    Case("waits for staff"),
    Case("only queued"),
    Case("thoughts before the answer", ANSWER, _text("<think>margin</think>At nine.")),
    Case("thought without an end", LATER, _text("<think>margin")),
    Case("401", NEVER, _refuses(401)),
    Case("404", NEVER, _refuses(404)),
    Case("422 with a body", NEVER, _refuses(422)),
    Case("429 with Retry-After", LATER, _refuses(429, Retry_After="7")),
    Case("503", LATER, _refuses(503)),
    Case("no answer in time", LATER, lambda server, _: server.hangs()),
    Case(
        "line dropped in an answer",
        LATER,
        lambda server, dialect: server.drops(json.dumps(dialect.answer("ok")).encode()[:9]),
    ),
    Case("stream nobody asked for"),
    Case("stream dropped"),
    Case("error inside a 200"),
    Case("error as a stream's first frame"),
    Case("error inside a stream"),
    Case("web page", LATER, lambda server, _: server.sends(b"<html>Starting up", "text/html")),
    Case("not JSON", NEVER, lambda server, _: server.sends(b"Sure!", "text/plain")),
    Case(
        "line of 2 MB",
        NEVER,
        lambda server, _: server.streams(b"data: " + b"x" * 2_000_000),
    ),
    Case("gzip cut short", LATER, _cut_gzip),
    Case("answer over agent.max_answer", NEVER, _text("a" * (LIMIT + 1))),
    Case("answer of 2 MB", NEVER, _text("a" * 2_000_000)),
    Case("turn cancelled", STOPPED, lambda server, _: server.hangs(), cancels=True),
]

# --- the protocols ----------------------------------------------------------


def _chat(message: Json, finish_reason: str = "stop") -> Json:
    whole = {"role": "assistant", **message}
    return {"choices": [{"message": whole, "finish_reason": finish_reason}]}


def _chunk(text: str) -> Json:
    return {"choices": [{"delta": {"content": text}, "finish_reason": None}]}


def _chat_prompt(body: Json) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else json.dumps(content)


def _n8n(kind: str) -> Json:
    return {"type": kind, "content": "Hi", "metadata": {"nodeName": "AI Agent"}}


def _lines(*frames: Json) -> Serve:
    """Answer with JSON lines, typed as n8n does."""
    body = "".join(f"{json.dumps(frame)}\n" for frame in frames).encode()
    return lambda server: server.sends(body, "application/json")


_A2A_CARD = {
    "name": "Shop",
    "supportedInterfaces": [
        {"url": "http://0.0.0.0/v1/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    ],
    "defaultInputModes": ["text/plain", "image/jpeg"],
}


def _a2a_result(result: Json) -> Json:
    return {"jsonrpc": "2.0", "id": "turn-1", "result": result}


_A2A_SAYS = _a2a_result(
    {"artifactUpdate": {"artifact": {"artifactId": "a", "parts": [{"text": "Hi"}]}}}
)
_A2A_ERROR = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "no"}}


def _a2a_task(state: str, text: str = "", *artifacts: str) -> Json:
    message = {"messageId": "a", "role": "ROLE_AGENT", "parts": [{"text": text}]}
    status = {"state": f"TASK_STATE_{state}", **({"message": message} if text else {})}
    said = [{"artifactId": it, "parts": [{"text": it}]} for it in artifacts]
    return _a2a_result({"task": {"id": "t", "contextId": "c", "status": status, "artifacts": said}})


def _a2a_streams(*events: Json) -> Serve:
    """Stream as an agent does whose card says that it can."""
    card = _A2A_CARD | {"capabilities": {"streaming": True}}
    task = _a2a_result({"task": {"id": "t", "status": {"state": "TASK_STATE_WORKING"}}})

    def serve(server: AgentServer) -> None:
        server.aside = lambda method, path, body: (
            card if method == "GET" else _a2a_aside(method, path, body)
        )
        streams(*(events or (task, _A2A_SAYS)))(server)

    return serve


def _a2a_aside(method: str, path: str, body: Json) -> Json | None:
    if method == "GET":
        assert path == "/v1/.well-known/agent-card.json"
        return _A2A_CARD
    return _a2a_result({"tasks": []}) if body["method"] == "ListTasks" else None


def _thread(method: str, path: str, _body: Json) -> object | None:
    """Answer the look at a LangGraph thread: there is one, with no run so far."""
    if method != "GET":
        return None
    if path.endswith("/join"):
        return _state("It left.")
    return [] if path.endswith("/runs") else {"status": "idle", "values": {}, "interrupts": {}}


def _run(*events: Json, **end: object) -> list[Json]:
    """Return the frames of an AG-UI run."""
    ids = {"threadId": "session-1", "runId": "turn-1"}
    finished = {"type": "RUN_FINISHED", **ids, "outcome": {"type": "success"}, **end}
    return [{"type": "RUN_STARTED", **ids}, *events, finished]


def _says(text: object, id_: str = "m") -> list[Json]:
    return [
        {"type": "TEXT_MESSAGE_START", "messageId": id_, "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": id_, "delta": text},
        {"type": "TEXT_MESSAGE_END", "messageId": id_},
    ]


def _interrupt(**fields: object) -> Json:
    interrupt = {"id": "int-1", "reason": "input", **fields}
    return {"outcome": {"type": "interrupt", "interrupts": [interrupt]}}


def _ag_ui_prompt(body: Json) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else json.dumps(content)


def _dify_event(kind: str, **fields: object) -> Json:
    return {"event": kind, "task_id": "t", "conversation_id": "c", **fields}


_DIFY_ERROR = _dify_event("error", status=500, code="internal_server_error", message="no")


def _conversations(method: str, path: str, _body: Json) -> object | None:
    """Answer Dify's list of a user's conversations."""
    if method != "GET":
        return None
    if path == "/v1/parameters":
        return {"sensitive_word_avoidance": {"enabled": False}}
    assert path == "/v1/conversations"
    return {"limit": 1, "has_more": False, "data": [{"id": "c"}]}


def _state(*texts: object, **more: object) -> Json:
    asked = {"type": "human", "id": "turn-1", "content": "Where is my order?"}
    said = [{"type": "ai", "id": f"a{at}", "content": it} for at, it in enumerate(texts)]
    return {"messages": [asked, *said], **more}


DIALECTS = [
    Dialect(
        "agentkernel",
        answer=lambda text: {"result": text, "session_id": "session-1"},
        prompt=lambda body: body["prompt"],
        session=lambda body: body["session_id"],
        special={
            "several messages": (
                streams(
                    {"delta": "one", "event": {"type": "message_end"}},
                    {"delta": "two", "done": True},
                ),
                TWO,
            ),
            "waits for staff": (says({"status": "PAUSED", "run_id": "r"}, 202), PERSON),
            "only queued": (says({"status": "ACCEPTED", "request_id": "r"}, 202), NEVER),
            "stream nobody asked for": (streams({"delta": "Hi"}, {"done": True}), ANSWER),
            "stream dropped": (streams({"delta": "Hi"}), LATER),
            "error inside a 200": (
                says({"result": "Error: Too many requests. Please try again later."}),
                LATER,
            ),
            "error as a stream's first frame": (streams({"error": "no", "done": True}), LATER),
            "error inside a stream": (
                streams({"delta": "Hi"}, {"error": "no", "done": True}),
                LATER,
            ),
        },
    ),
    Dialect(
        "openai-chat",
        answer=lambda text: _chat({"content": text}),
        prompt=_chat_prompt,
        session=lambda body: body["user"],
        special={
            "refusal": (says(_chat({"content": ""}, "content_filter")), SILENCE),
            "stream nobody asked for": (streams(_chunk("Hi"), "[DONE]"), ANSWER),
            "stream dropped": (streams(_chunk("Hi")), LATER),
            "error inside a 200": (says({"error": {"message": "no", "code": 429}}), LATER),
            "error as a stream's first frame": (streams({"error": {"message": "no"}}), LATER),
            "error inside a stream": (streams(_chunk("H"), {"error": {"message": "no"}}), LATER),
        },
        asks_model=True,
        wants_history=True,
    ),
    Dialect(
        "openai-responses",
        answer=_response,
        prompt=lambda body: body["input"] if isinstance(body["input"], str) else str(body["input"]),
        session=lambda body: body["user"],
        special={
            "several messages": (
                says({"output": [_message("one"), _message("two")]}),
                TWO,
            ),
            "refusal": (
                says({"output": [_message([{"type": "refusal", "refusal": "No."}])]}),
                ANSWER,
            ),
            "only queued": (says({"status": "queued", "output": []}), NEVER),
            "stream nobody asked for": (
                streams({"type": "response.completed", "response": _response("Hi")}),
                ANSWER,
            ),
            "stream dropped": (
                streams({"type": "response.output_text.delta", "delta": "Hi"}),
                LATER,
            ),
            "error inside a 200": (
                says({"status": "failed", "error": {"code": "server_error", "message": "no"}}),
                LATER,
            ),
            "error as a stream's first frame": (
                streams({"type": "error", "code": "rate_limit_exceeded", "message": "no"}),
                LATER,
            ),
            "error inside a stream": (
                streams(
                    {"type": "response.output_text.delta", "delta": "Hi"},
                    {"type": "error", "code": "server_error", "message": "no"},
                ),
                LATER,
            ),
        },
        asks_model=True,
        wants_history=True,
    ),
    Dialect(
        "a2a",
        answer=lambda text: _a2a_result(
            {"message": {"messageId": "a", "role": "ROLE_AGENT", "parts": [{"text": text}]}}
        ),
        prompt=lambda body: body["params"]["message"]["parts"][0]["text"],
        session=lambda body: body["params"]["message"]["contextId"],
        special={
            "several messages": (says(_a2a_task("COMPLETED", "two", "one")), TWO),
            "refusal": (says(_a2a_task("REJECTED", "not allowed")), NEVER),
            "asks the person back": (says(_a2a_task("INPUT_REQUIRED", "Which one?")), ANSWER),
            "waits for staff": (says(_a2a_task("AUTH_REQUIRED", "log in")), PERSON),
            "only queued": (says(_a2a_task("SUBMITTED")), LATER),
            "stream dropped": (_a2a_streams(), LATER),
            "error inside a 200": (says(_A2A_ERROR), LATER),
            "error as a stream's first frame": (_a2a_streams(_A2A_ERROR), LATER),
            "error inside a stream": (_a2a_streams(_A2A_SAYS, _A2A_ERROR), LATER),
        },
        aside=_a2a_aside,
    ),
    Dialect(
        "langgraph",
        answer=_state,
        prompt=lambda body: body["input"]["messages"][0]["content"],
        session=lambda body: body["metadata"]["session"],
        special={
            "several messages": (says(_state("one", "two")), TWO),
            "asks the person back": (says(_state(__interrupt__=[{"value": "Which?"}])), ANSWER),
            "waits for staff": (
                says(_state("Refunding.", __interrupt__=[{"value": {"action_requests": []}}])),
                PERSON,
            ),
            # Its run goes on, and is waited for.
            "stream dropped": (
                lambda server: server.drops(b'data: {"run_id": "r"}\n\n', "text/event-stream"),
                ANSWER,
            ),
            "error inside a 200": (
                says({"__error__": {"error": "RateLimitError", "message": "Error code: 429"}}),
                LATER,
            ),
            "error as a stream's first frame": (
                streams({"run_id": "r"}, {"error": "RuntimeError", "message": "no"}),
                LATER,
            ),
            "error inside a stream": (
                streams({"run_id": "r"}, _state(), {"error": "RuntimeError", "message": "no"}),
                LATER,
            ),
            # Short of its limit, which a conversation fits.
            "line of 2 MB": (lambda server: server.streams(b"data: " + b"x" * 2_000_000), LATER),
        },
        asks_model=True,
        aside=_thread,
    ),
    Dialect(
        "ag-ui",
        answer=lambda text: _run(*_says(text)),
        prompt=_ag_ui_prompt,
        session=lambda body: body["threadId"],
        special={
            "several messages": (says(_run(*_says("one", "a"), *_says("two", "b"))), TWO),
            "asks the person back": (says(_run(**_interrupt(message="Which one?"))), ANSWER),
            "waits for staff": (
                says(_run(**_interrupt(message="Refund?", toolCallId="call-1"))),
                PERSON,
            ),
            "stream dropped": (says(_run(*_says("Hi"))[:-1]), LATER),
            "error as a stream's first frame": (
                says([{"type": "RUN_ERROR", "message": "no"}]),
                LATER,
            ),
            "error inside a stream": (
                says([*_run(*_says("Hi"))[:-1], {"type": "RUN_ERROR", "message": "no"}]),
                LATER,
            ),
        },
        only_streams=True,
        wants_history=True,
    ),
    Dialect(
        "dify",
        answer=lambda text: {"event": "message", "conversation_id": "c", "answer": text},
        prompt=lambda body: body["query"],
        session=lambda body: body["user"],
        special={
            "waits for staff": (streams(_dify_event("workflow_paused", data={})), PERSON),
            "stream nobody asked for": (
                streams(_dify_event("message", answer="Hi"), _dify_event("message_end")),
                ANSWER,
            ),
            "stream dropped": (streams(_dify_event("message", answer="Hi")), LATER),
            "error as a stream's first frame": (streams(_DIFY_ERROR), LATER),
            "error inside a stream": (
                streams(_dify_event("message", answer="Hi"), _DIFY_ERROR),
                LATER,
            ),
        },
        aside=_conversations,
    ),
    Dialect(
        "n8n",
        answer=lambda text: {"output": text},
        prompt=lambda body: body["chatInput"],
        session=lambda body: body["sessionId"],
        special={
            "several messages": (says([{"output": "one"}, {"output": "two"}]), TWO),
            "waits for staff": (says({"handoff": "a refund"}), PERSON),
            "only queued": (says({"message": "Workflow was started"}), NEVER),
            "stream nobody asked for": (_lines(_n8n("begin"), _n8n("item"), _n8n("end")), ANSWER),
            "stream dropped": (_lines(_n8n("begin"), _n8n("item")), LATER),
            "error inside a 200": (says({"error": "no"}), LATER),
            "error as a stream's first frame": (_lines(_n8n("error")), LATER),
            "error inside a stream": (_lines(_n8n("begin"), _n8n("item"), _n8n("error")), LATER),
            "not JSON": (lambda server: server.sends(b"Sure!", "text/plain"), ANSWER),
        },
        takes_text=True,
    ),
    Dialect(
        "flowise",
        answer=lambda text: {"text": text, "chatId": "c", "isStreamValid": False},
        prompt=lambda body: body["question"],
        session=lambda body: body["overrideConfig"]["sessionId"],
        special={
            "several messages": (says({"json": {"messages": ["one", "two"]}}), TWO),
            "waits for staff": (says({"text": "Refund?", "action": {"id": "1"}}), PERSON),
            "error inside a 200": (says({"error": "no"}), LATER),
        },
    ),
    Dialect(
        "http",
        answer=lambda text: {"reply": text},
        prompt=lambda body: body["text"],
        session=lambda body: body["session"],
        special={
            "several messages": (says({"reply": ["one", "two"]}), TWO),
            "waits for staff": (says({"handoff": "a refund"}), PERSON),
            "not JSON": (lambda server: server.sends(b"Sure!", "text/plain"), ANSWER),
            "error inside a 200": (says({"error": {"message": "no"}}), LATER),
            "stream dropped": (
                lambda server: server.drops(b'data: {"reply": "Hi"}\n\n', "text/event-stream"),
                LATER,
            ),
            "error as a stream's first frame": (streams({"error": {"message": "no"}}), LATER),
            "error inside a stream": (
                streams({"reply": "Hi"}, {"error": {"message": "no"}}),
                LATER,
            ),
        },
        takes_text=True,
        streams_by={"reply_format": "events"},
    ),
    Dialect(
        "http-callback",
        answer=lambda text: {"reply": text},
        prompt=lambda body: body["text"],
        session=lambda body: body["session"],
        special={
            "several messages": (says({"messages": ["one", {"text": "two"}]}), TWO),
            "waits for staff": (says({"handoff": "a refund"}), PERSON),
            "only queued": (says({}, 202), WAITS),
            "not JSON": (lambda server: server.sends(b"Sure!", "text/plain"), ANSWER),
            "error inside a 200": (says({"error": {"message": "no"}}), LATER),
        },
        takes_text=True,
    ),
]


def conformance_table() -> str:
    """Return the outcome of each case with each adapter as a Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in _rows())


def _rows() -> Iterator[tuple[str, ...]]:
    yield ("", *(f"`{dialect}`" for dialect in DIALECTS))
    yield ("---",) * (len(DIALECTS) + 1)
    for case in CASES:
        yield (case.name, *(case.expected(dialect) for dialect in DIALECTS))
