"""A stream is cut into the data of its events, however its bytes arrive."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ak_instagram.agents.body import SseParser
from ak_instagram.errors import Permanent

STREAM = (
    "\ufeff: a comment\n\n"
    "data: one\n\n"
    "event: delta\nid: 7\ndata: größe 🎉\n\n"
    "data:two\r\ndata:  lines\r\n\r\n"
    "retry: 10\n\n"
    "data\n\n"
    "data: three\u2028still three\u0085\x0b\r\r"
    "data: cut off"
).encode()
EVENTS = ["one", "größe 🎉", "two\n lines", "", "three\u2028still three\u0085\x0b"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_the_events_do_not_depend_on_where_the_bytes_are_cut(cuts):
    parser = SseParser(limit=1000)
    edges = [0, *sorted(cuts), len(STREAM)]

    chunks = [STREAM[start:end] for start, end in pairwise(edges)]

    assert [event for chunk in chunks for event in parser.feed(chunk)] == EVENTS


def test_bytes_that_are_not_utf_8_are_replaced():
    assert SseParser(limit=100).feed(b"data: a\xffb\n\n") == ["a\ufffdb"]


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(b"data: " + b"x" * 100, id="one-line"),
        pytest.param(b"data: x\n" * 101, id="many-lines"),
        pytest.param(b"data\n" * 101, id="empty-lines"),
        pytest.param(b":" + b" " * 200, id="a-comment"),
    ],
)
def test_an_event_that_never_ends_is_given_up_on(chunk):
    with pytest.raises(Permanent, match="more than 100"):
        SseParser(limit=100).feed(chunk)


def test_a_stream_of_any_length_is_fine_while_its_events_are_short():
    parser = SseParser(limit=100)

    events = [event for _ in range(1000) for event in parser.feed(b"data: 0123456789\n\n")]

    assert len(events) == 1000
