"""Every agent, plug-ins too, is kept to agent.max_answer and agent.timeout."""

from __future__ import annotations

import asyncio

import pytest

from ak_instagram.agents.agent import (
    Card,
    Cards,
    MessageEnd,
    Option,
    Part,
    QuickReplies,
    Silence,
    Text,
    Turn,
    UserMessage,
)
from ak_instagram.agents.answers import ask
from ak_instagram.errors import Permanent, Transient

TURN = Turn("t", "s", "a", "c", (UserMessage("m", 1, "hi"),))


class Scripted:
    """Yields parts; then fails, hangs or ends; and remembers that it was closed."""

    history = 3

    def __init__(self, *parts: Part, hang: bool = False, error: Exception | None = None):
        self._parts = parts
        self._hang = hang
        self._error = error
        self.closed = False

    async def answer(self, turn):
        try:
            for part in self._parts:
                yield part
            if self._hang:
                await asyncio.Event().wait()
            if self._error:
                raise self._error
        finally:
            self.closed = True


class Iterator:
    """An answer that is an iterator but no generator, so that it can't be closed."""

    history = 0

    def answer(self, turn):
        self._left = [Text("b"), Text("a")]
        return self

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


async def collect(agent, *, max_answer: int = 100, seconds: float = 5.0):
    """Return all parts of the agent's answer within these limits."""
    return await ask(agent, TURN, max_answer, seconds)


async def test_parts_within_the_limits_come_through():
    parts = (Text("a" * 99), MessageEnd())

    assert await collect(Scripted(*parts)) == list(parts)


async def test_an_iterator_that_cannot_be_closed_will_do():
    assert await collect(Iterator()) == [Text("ab")]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([Text("a" * 101)], id="text"),
        pytest.param([Text("é" * 51)], id="bytes"),
        pytest.param([Text("a" * 60)] * 2, id="together"),
        pytest.param([MessageEnd()] * 101, id="parts-without-text"),
        pytest.param([Cards((Card("a" * 60, "b" * 60),))], id="cards"),
        pytest.param([Text("\ud83d" * 101)], id="half-surrogates"),
    ],
)
async def test_too_much_is_permanent(parts):
    agent = Scripted(*parts)

    with pytest.raises(Permanent, match="max_answer"):
        await collect(agent)

    assert agent.closed


async def test_too_late_is_transient_and_counts_from_the_start():
    agent = Scripted(Text("a"), hang=True)

    with pytest.raises(Transient, match=r"agent\.timeout \(0\.05 s\)"):
        await collect(agent, seconds=0.05)

    assert agent.closed


async def test_an_agents_own_errors_come_through_and_close_the_answer():
    agent = Scripted(Text("a"), error=ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        await collect(agent)

    assert agent.closed


async def test_cancelling_the_reader_closes_the_answer():
    agent = Scripted(Text("a"), hang=True)
    reading = asyncio.create_task(collect(agent))
    await asyncio.sleep(0)

    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert agent.closed


@pytest.mark.parametrize(
    ("said", "sanitize"),
    [
        pytest.param("a\ud83d \ud83d\ude00", "a\ufffd 😀", id="half-a-surrogate-pair"),
        pytest.param("a\0b", "a\ufffdb", id="nul"),
    ],
)
async def test_text_comes_through_in_a_form_that_can_be_stored(said, sanitize):
    assert await collect(Scripted(Text(said))) == [Text(sanitize)]


DOCUMENT = '{"messages": [{"text": "Which?", "quick_replies": [{"title": "R\\ud83d"}]}]}'
CHOICE = [Text("Which?"), QuickReplies((Option("R\ufffd", "R\ufffd"),))]


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        pytest.param([Text(DOCUMENT)], CHOICE, id="whole"),
        pytest.param([Text(DOCUMENT[:20]), Text(DOCUMENT[20:]), MessageEnd()], CHOICE, id="stream"),
        pytest.param([Text(f"```json\n{DOCUMENT}\n```\n")], CHOICE, id="block-of-code"),
        pytest.param([Text(f"<think>Hm.</think>\n{DOCUMENT}")], CHOICE, id="after-a-thought"),
        pytest.param([Text('{"silence": true}')], [Silence()], id="silence"),
        pytest.param([Text(f"So: {DOCUMENT}")], [Text(f"So: {DOCUMENT}")], id="with-words"),
        pytest.param([Text('{"a": 1}')], [Text('{"a": 1}')], id="another-document"),
        pytest.param([Text('{"messages": [7]}')], [Text('{"messages": [7]}')], id="not-in-schema"),
        pytest.param([Text("`pip install x`")], [Text("`pip install x`")], id="code"),
    ],
)
async def test_a_text_that_is_a_document_of_the_schema_is_what_that_says(said, parts):
    assert await collect(Scripted(*said), max_answer=1000) == parts
