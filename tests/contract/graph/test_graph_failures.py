"""Every way in which a call can fail is one error: sent, not sent, or nobody knows."""

from __future__ import annotations

import asyncio
import socket
import time
import traceback

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import StreamWriter

from ak_instagram.meta.graph.client import MAX_ANSWER_BYTES, DeadlinePayload, GraphClient
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError

TOKEN = "IGAAtokentokentoken"
PATIENCE = 5.0
SOON = 0.05

UNKNOWN = ErrorClass.OUTCOME_UNKNOWN
TRANSIENT = ErrorClass.TRANSIENT


def send(graph, seconds=PATIENCE):
    return graph.send_message(TOKEN, "751", {"text": "hi"}, seconds)


CALLS = [
    pytest.param(send, UNKNOWN, id="send"),
    pytest.param(
        lambda graph, seconds=PATIENCE: graph.sender_action(TOKEN, "751", "typing_on", seconds),
        TRANSIENT,
        id="action",
    ),
    pytest.param(lambda graph, seconds=PATIENCE: graph.me(TOKEN, seconds), TRANSIENT, id="me"),
    pytest.param(
        lambda graph, seconds=PATIENCE: graph.recent_messages(TOKEN, "751", seconds),
        TRANSIENT,
        id="recent",
    ),
]


async def failure_of(call):
    with pytest.raises(GraphError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize(("call", "error_class"), CALLS)
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"", id="before-the-answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="in-its-head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", id="before-its-body"),
        pytest.param(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"mess', id="in-its-body"),
        pytest.param(b'HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\n{"err', id="in-an-error"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="another-protocol"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
            id="broken-compression",
        ),
    ],
)
async def test_nobody_knows_what_became_of_a_call_whose_line_broke(
    wire, graph, call, error_class, start
):
    wire.breaks_off(start)
    wire.breaks_off(start)  # aiohttp itself tries a GET once more

    error = await failure_of(call(graph))

    assert error.error_class is error_class
    assert sum(request.startswith(b"POST") for request in wire.requests) <= 1


@pytest.mark.parametrize(("call", "_error_class"), CALLS)
@pytest.mark.parametrize("status", [403, 404, 407])
async def test_a_page_of_a_proxy_on_the_way_is_no_verdict(wire, graph, call, _error_class, status):
    wire.answer(status, b"<html>Blocked</html>", "Content-Type: text/html")

    error = await failure_of(call(graph))

    assert (error.error_class, error.status) == (TRANSIENT, status)


@pytest.mark.parametrize(("call", "error_class"), CALLS)
async def test_nobody_knows_what_became_of_a_call_that_hangs(wire, graph, call, error_class):
    error = await failure_of(call(graph, SOON))

    assert error.error_class is error_class
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("call", "error_class"), CALLS)
@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        pytest.param(500, b"<html>Sorry</html>", ("Content-Type: text/html",), id="html"),
        pytest.param(502, b"", (), id="empty-502"),
        pytest.param(500, {"error": {"code": 1, "message": "x"}}, (), id="unknown-api-error"),
        pytest.param(302, b"", ("Location: https://elsewhere.example/",), id="redirect"),
        pytest.param(307, b"", ("Location: /v21.0/me/messages",), id="redirect-to-itself"),
        pytest.param(204, b"", (), id="another-success"),
    ],
)
async def test_an_answer_not_of_the_api_itself_tells_nothing(
    wire, graph, call, error_class, status, body, headers
):
    wire.answer(status, body, *headers)

    error = await failure_of(call(graph))

    assert (error.error_class, error.status) == (error_class, status)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b'{"recipient_id":"751"}', id="no-message-id"),
        pytest.param(b'{"message_id":"m1"' + b" " * MAX_ANSWER_BYTES + b"}", id="endless"),
    ],
)
async def test_a_200_that_names_no_message_tells_nothing(wire, graph, body):
    wire.answer(200, body)

    error = await failure_of(send(graph))

    assert (error.error_class, error.status) == (UNKNOWN, 200)


@pytest.mark.parametrize("call", [call.values[0] for call in CALLS[2:]], ids=["me", "recent"])
async def test_a_read_that_cannot_be_read_may_be_tried_again(wire, graph, call):
    wire.answer(200, b"[]")

    error = await failure_of(call(graph))

    assert error.error_class is TRANSIENT


@pytest.mark.parametrize("call", [call.values[0] for call in CALLS], ids=lambda call: None)
async def test_an_error_of_the_api_is_classified_with_its_headers(wire, graph, call):
    answer = {"error": {"message": "x", "code": 4, "is_transient": True, "fbtrace_id": "Ab1"}}
    usage = 'x-business-use-case-usage: {"178":[{"estimated_time_to_regain_access":2}]}'
    wire.answer(400, answer, usage)

    error = await failure_of(call(graph))

    assert error.error_class is ErrorClass.RATE_LIMITED
    assert (error.code, error.fbtrace_id, error.retry_after) == (4, "Ab1", 120)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param(("Retry-After: 90",), 90, id="seconds"),
        pytest.param(
            ("Date: Wed, 21 Oct 2026 07:26:30 GMT", "retry-after: Wed, 21 Oct 2026 07:28:00 GMT"),
            90,
            id="date",
        ),
        pytest.param(
            ('X-App-Usage: {"call_count":100,"estimated_time_to_regain_access":2}',),
            120,
            id="app-usage",
        ),
    ],
)
async def test_a_limit_says_how_long_to_wait(wire, graph, headers, seconds):
    wire.answer(400, {"error": {"message": "x", "code": 613}}, *headers)

    error = await failure_of(send(graph))

    assert (error.error_class, error.retry_after) == (ErrorClass.RATE_LIMITED, seconds)


async def test_the_window_is_closed(wire, graph):
    wire.answer(400, {"error": {"message": "x", "code": 10, "error_subcode": 2534022}})

    error = await failure_of(send(graph))

    assert error.error_class is ErrorClass.WINDOW_CLOSED


def a_free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(lambda: f"http://127.0.0.1:{a_free_port()}", id="refused"),
        pytest.param(lambda: "http://graph.invalid", id="unknown-host"),
        pytest.param(lambda: "ftp://127.0.0.1", id="not-http"),
    ],
)
async def test_what_was_never_sent_may_be_sent_again(session, url):
    graph = GraphClient(session, url(), "v21.0")

    error = await failure_of(send(graph))

    assert error.error_class is TRANSIENT
    assert str(error).startswith("transient: not sent: ")


async def test_a_handshake_that_never_ends_sends_nothing(wire, session):
    graph = GraphClient(session, wire.url.replace("http:", "https:"), "v21.0")

    error = await failure_of(send(graph, SOON))

    assert error.error_class is TRANSIENT


async def test_waiting_for_a_free_line_sends_nothing(wire):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        graph = GraphClient(session, wire.url, "v21.0")
        hanging = asyncio.create_task(failure_of(send(graph, 10 * SOON)))
        await wire.heard.wait()

        error = await failure_of(send(graph, SOON))

        assert error.error_class is TRANSIENT
        assert (await hanging).error_class is UNKNOWN
    assert len(wire.requests) == 1


async def test_a_stale_line_does_not_make_aiohttp_send_twice(wire, graph):
    wire.answer(200, {"message_id": "m1"})
    wire.breaks_off()
    wire.answer(200, {"message_id": "m2"})
    await send(graph)

    error = await failure_of(send(graph))

    assert error.error_class is UNKNOWN
    assert [b"POST" in request for request in wire.requests] == [True, True]


async def test_a_line_that_was_closed_in_peace_costs_nothing(wire, graph):
    wire.answer(200, {"message_id": "m1"}, "Connection: close", ends=True)
    wire.answer(200, {"message_id": "m2"})

    ids = [await send(graph), await send(graph)]

    assert ids == ["m1", "m2"]
    assert wire.connections == 2


async def test_no_error_has_the_token_in_any_of_its_texts(wire, graph):
    wire.answer(400, {"error": {"message": f"Cannot parse {TOKEN}", "code": 190}})
    wire.answer(200, TOKEN.encode())
    wire.breaks_off(TOKEN.encode() + b"\r\n\r\n")

    for _ in range(3):
        error = await failure_of(send(graph))

        assert TOKEN not in "".join(traceback.format_exception(error))
        assert TOKEN not in repr(vars(error))


async def test_what_comes_back_late_from_a_stop_is_not_written():
    """A process may be stopped (SIGSTOP) when it is about to write."""
    late = DeadlinePayload({"message": {"text": "hi"}}, until=time.monotonic() - SOON)

    loop = asyncio.get_running_loop()
    writer = StreamWriter(BaseProtocol(loop), loop)

    with pytest.raises(TimeoutError):
        await late.write_with_length(writer, None)
