"""Messages are cut out of a stream as they were written."""

from __future__ import annotations

from qa.benchmarks import http1


def test_a_message_is_taken_once_it_is_whole():
    whole = http1.ok(b'{"a":1}')
    buffer = bytearray(whole[:-1])

    early = http1.take_message(buffer)
    buffer += whole[-1:]

    assert early is None
    assert http1.take_message(buffer) == (whole[: -len(b'\r\n\r\n{"a":1}')], b'{"a":1}')
    assert not buffer


def test_messages_that_came_together_are_taken_one_by_one():
    buffer = bytearray(http1.request("/a", b"first") + http1.request("/b", b"second"))

    taken = [http1.take_message(buffer) for _ in range(2)]

    assert [message and message[1] for message in taken] == [b"first", b"second"]


def test_a_head_without_a_length_has_no_body():
    buffer = bytearray(b"GET /me HTTP/1.1\r\nHost: graph\r\n\r\n")

    assert http1.take_message(buffer) == (b"GET /me HTTP/1.1\r\nHost: graph", b"")


def test_the_status_is_read_from_the_head():
    assert http1.status_of(b"HTTP/1.1 503 Service Unavailable") == 503
