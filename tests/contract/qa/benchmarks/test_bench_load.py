"""The loader's loops against real connections; how long it takes is nobody's claim here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from qa.benchmarks.http1 import ok, take_message
from qa.benchmarks.journal import Journal
from qa.benchmarks.posting import Load, post
from qa.benchmarks.protocols import Agent, Graph
from qa.benchmarks.webhooks import Messages

MESSAGES = Messages(count=40, conversations=10)


def bodies_of(requests: Iterable[bytes]) -> list[bytes]:
    taken = [take_message(bytearray(request)) for request in requests]
    return [message[1] for message in taken if message is not None]


class Accepting(asyncio.Protocol):
    """A server that keeps what it gets and gives everybody the same answer."""

    def __init__(self, bodies: list[bytes], answer: bytes) -> None:
        self._bodies = bodies
        self._answer = answer
        self._buffer = bytearray()

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._buffer += data
        while (message := take_message(self._buffer)) is not None:
            self._bodies.append(message[1])
            self._transport.write(self._answer)


async def listen(protocol):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "rate", [pytest.param(None, id="closed"), pytest.param(2000.0, id="at-a-rate")]
)
async def test_every_message_is_posted_once_and_counted(rate):
    bodies: list[bytes] = []
    server, port = await listen(lambda: Accepting(bodies, ok(b"{}")))
    requests = MESSAGES.requests()

    run = await post(Load(port, MESSAGES, connections=4, rate=rate), requests)
    server.close()

    assert sorted(run.accepted) == sorted(run.posted) == list(range(40))
    assert sorted(bodies) == sorted(bodies_of(requests))
    assert (run.failed, len(run.latencies)) == (0, 40)


async def test_what_is_not_answered_200_is_a_failure():
    server, port = await listen(lambda: Accepting([], ok(b"{}").replace(b"200 OK", b"503 No")))

    run = await post(Load(port, MESSAGES, connections=4), MESSAGES.requests())
    server.close()

    assert (run.accepted, run.failed) == ([], 40)


@pytest.mark.parametrize(
    ("peer", "body", "what", "who"),
    [
        pytest.param(
            Graph,
            b'{"recipient":{"id":"7"},"sender_action":"typing_on"}',
            "typing_on",
            "7",
            id="action",
        ),
        pytest.param(
            Graph, b'{"recipient":{"id":"7"},"message":{"text":"a"}}', "message", "7", id="piece"
        ),
        pytest.param(Agent, b'{"session":"s","text":"a"}', "agent", "s", id="agent"),
    ],
)
async def test_a_peer_notes_what_arrives_and_answers(peer, body, what, who):
    journal = Journal()
    server, port = await listen(lambda: peer(journal))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    server.close()

    assert head.startswith(b"HTTP/1.1 200 OK")
    assert [(it.what, it.who) for it in journal.arrivals] == [(what, who)]
