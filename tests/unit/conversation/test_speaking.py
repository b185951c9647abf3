"""What an agent has finished is told while it writes, by one coroutine at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

import pytest

from ak_instagram.agents.agent import MessageEnd, Part, Text, Turn
from ak_instagram.backoff import Backoff
from ak_instagram.conversation.answering import Answering
from ak_instagram.conversation.speaking import Speaker
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.typing import TypingIndicator
from ak_instagram.errors import LeaseLost, Permanent, StoreUnavailable, Transient
from ak_instagram.settings.model import Account
from ak_instagram.store.values import Claim, EventStatus, Piece, StoredEvent
from tests.support.fakes import FakeAgent, FakeGraph, FakeStore

SHOP = Account("token")
LONG = " ".join(["This is a sentence of a paragraph."] * 10)
PIECE = Piece(1, "turn", 0, {"text": "hi"}, 1, outcome_unknown=False, tried_at=0, planned_at=0)
EVENT = StoredEvent(5, "message", "m1", 1000, json.dumps({"message": {"mid": "m1", "text": "hi"}}))
CLAIM = Claim("shop", "anna", 1, events=(EVENT,))
IDLE = replace(CLAIM, events=(), is_writing=True)
SENDING = replace(IDLE, piece=PIECE)


@dataclass
class LiveAgent:
    """Says what it is told to, when it is told; an error is raised, `None` ends the answer."""

    orders: asyncio.Queue[Part | Exception | None] = field(default_factory=asyncio.Queue)
    history: int = 0
    is_closed: bool = False

    def will(self, *orders: Part | Exception | None) -> None:
        for order in orders:
            self.orders.put_nowait(order)

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        try:
            while (order := await self.orders.get()) is not None:
                if isinstance(order, Exception):
                    raise order
                yield order
        finally:
            self.is_closed = True


@dataclass
class Stage:
    """A turn under way: its agent, store, Meta and deliveries; *outcome* is what it leads to."""

    agent: LiveAgent | FakeAgent
    steps: Iterable[Claim | Exception | None]
    delivers: asyncio.Event | Exception | None = None
    graph: FakeGraph = field(default_factory=FakeGraph)
    delivered: list[tuple[Piece, list[str]]] = field(default_factory=list)
    is_cut_off: bool = False

    def __post_init__(self) -> None:
        steps = iter(self.steps)
        self.store = FakeStore(next_step=lambda: self._step(next(steps)))
        self.speaker = Speaker(self.store, self)
        self.has_delivered = asyncio.Event()
        answering = Answering(
            store=self.store,
            agent=self.agent,
            circuit_breaker=CircuitBreaker(),
            typing_indicator=TypingIndicator(self.graph),
            backoff=Backoff(max_attempts=3, chance=lambda: 0.0),
            max_answer=10_000,
            timeout=5.0,
            fallback="Sorry!",
            spawn=lambda call: call.close(),
            speaker=self.speaker,
        )
        self.outcome = asyncio.ensure_future(answering.answer(CLAIM, SHOP))

    def _step(self, step: Claim | Exception | None) -> Claim | None:
        if isinstance(step, Exception):
            raise step
        return step

    async def deliver(self, claim: Claim, piece: Piece, account: Account | None) -> Claim | None:
        self.delivered.append((piece, list(self.graph.calls)))
        self.has_delivered.set()
        if isinstance(self.delivers, Exception):
            raise self.delivers
        if self.delivers is not None:
            try:
                await self.delivers.wait()
            except asyncio.CancelledError:
                self.is_cut_off = True
                raise
        return IDLE

    @property
    def results(self) -> list[tuple[int, bool, list[object], list[EventStatus]]]:
        """What was settled: its first message's number, whether it goes on, texts and ends."""
        return [
            (it.first, it.goes_on, [each["text"] for each in it.messages], [*it.events.values()])
            for verb, it in self.store.log
            if verb == "settle"
        ]


ANSWERED, DEAD = [EventStatus.ANSWERED], [EventStatus.DEAD]


@pytest.mark.parametrize(
    ("parts", "texts"),
    [
        pytest.param([Text("hi")], ["hi"], id="short"),
        pytest.param([Text(f"{LONG}\n\n{LONG}\n\n")], [f"{LONG}\n\n{LONG}"], id="paragraphs"),
        pytest.param([Text("a"), MessageEnd(), Text("b"), MessageEnd()], ["a", "b"], id="messages"),
    ],
)
async def test_what_comes_at_once_is_one_transaction(parts, texts):
    stage = Stage(FakeAgent(parts), [SENDING])

    assert await stage.outcome == SENDING

    assert stage.results == [(0, False, texts, ANSWERED)]
    assert stage.delivered == []


async def test_a_finished_message_is_delivered_while_the_agent_writes():
    stage = Stage(agent := LiveAgent(), [SENDING, SENDING, None])
    agent.will(Text("one"), MessageEnd())
    await stage.has_delivered.wait()
    stage.has_delivered.clear()

    agent.will(Text(f"{LONG}\n"), Text("\n"))
    await stage.has_delivered.wait()
    agent.will(Text("three"), None)
    await stage.outcome

    assert stage.results == [
        (0, True, ["one"], ANSWERED),
        (1, True, [LONG], ANSWERED),
        (2, False, ["three"], ANSWERED),
    ]


async def test_the_indicator_is_away_while_a_piece_goes_out_and_comes_back_behind_it():
    release = asyncio.Event()
    stage = Stage(agent := LiveAgent(), [SENDING, None], delivers=release)
    agent.will(Text("one"), MessageEnd())
    await stage.has_delivered.wait()

    [(_, calls_before)] = stage.delivered
    release.set()
    await stage.graph.until("typing_on", 2)
    agent.will(None)
    await stage.outcome

    assert calls_before == ["mark_seen", "typing_on"]


async def test_an_answer_that_ends_during_a_delivery_is_settled_behind_it():
    release = asyncio.Event()
    stage = Stage(agent := LiveAgent(), [SENDING, None], delivers=release)
    agent.will(Text("one"), MessageEnd())
    await stage.has_delivered.wait()
    agent.will(Text("two"), None)
    while not agent.is_closed:  # noqa: ASYNC110 - nothing tells the test
        await asyncio.sleep(0)

    settled_before = len(stage.results)
    release.set()
    await stage.outcome

    assert (settled_before, stage.results[1]) == (1, (1, False, ["two"], ANSWERED))
    assert stage.graph.calls == ["mark_seen", "typing_on"]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Transient("cut"), id="transient"),
        pytest.param(Permanent("too long"), id="permanent"),
        pytest.param(RuntimeError("bug"), id="bug"),
    ],
)
async def test_an_agent_that_fails_in_the_middle_is_not_asked_again_nor_excused(error):
    stage = Stage(agent := LiveAgent(), [SENDING, None])
    agent.will(Text("one"), MessageEnd())
    await stage.has_delivered.wait()

    agent.will(Text("half a"), error)
    await stage.outcome

    assert stage.results[1:] == [(1, False, [], DEAD)]
    assert stage.store.log[1][1].reason.startswith("cut off after 1 messages: ")


async def test_an_agent_that_fails_before_its_first_message_is_asked_again():
    stage = Stage(agent := LiveAgent(), [None])
    agent.will(Text("half a\n"), Transient("cut"))

    await stage.outcome

    assert [verb for verb, *_ in stage.store.log] == ["retry"]


async def test_nobody_asks_on_where_nobody_wants_the_rest():
    anew = replace(CLAIM, fence=2)
    stage = Stage(agent := LiveAgent(), [SENDING, anew])
    agent.will(Text("one"), MessageEnd())
    await stage.has_delivered.wait()

    agent.will(Text("two"), MessageEnd(), Text("three"), MessageEnd())
    await stage.store.until(2)
    agent.will(MessageEnd())

    assert await stage.outcome == anew
    assert (agent.is_closed, len(stage.delivered)) == (True, 1)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(LeaseLost("other"), id="lease-lost"),
        pytest.param(StoreUnavailable("full"), id="store-away"),
    ],
)
@pytest.mark.parametrize("where", ["settle", "deliver"])
async def test_who_may_not_write_any_more_drops_the_work(error, where):
    at_settling = where == "settle"
    stage = Stage(
        agent := LiveAgent(),
        [error if at_settling else SENDING],
        delivers=None if at_settling else error,
    )
    agent.will(Text("one"), MessageEnd())
    await stage.store.until(1) if not at_settling else await asyncio.sleep(0.01)
    agent.will(Text("two"), MessageEnd(), Text("three"), MessageEnd(), None)

    with pytest.raises(type(error)):
        await stage.outcome

    assert len(stage.results) <= 1


async def test_a_cancelled_turn_breaks_off_what_is_being_delivered():
    stage = Stage(agent := LiveAgent(), [SENDING], delivers=asyncio.Event())
    agent.will(Text("one"), MessageEnd())
    await stage.has_delivered.wait()

    stage.outcome.cancel()
    await asyncio.wait([stage.outcome])

    assert (stage.is_cut_off, agent.is_closed) == (True, True)


async def test_the_text_of_an_exception_is_not_told():
    stage = Stage(agent := LiveAgent(), [None])
    agent.will(Text("Error code: 401 - {'error': {'message': 'no'}}"), MessageEnd())
    await asyncio.sleep(0)

    agent.will(Text("two"), MessageEnd(), None)
    await stage.outcome

    assert stage.delivered == []
    assert all(verb != "settle" or not it.goes_on for verb, it, *_ in stage.store.log)


async def test_an_agent_that_began_with_a_thought_is_taken_for_one_that_thinks_first():
    stage = Stage(agent := LiveAgent(), [None])
    agent.will(Text("Hm, cakes\n"), Text("</think>\n"), Text("Which cake?"), None)

    await stage.outcome

    assert stage.results == [(0, False, ["Which cake?"], ANSWERED)]
    assert stage.speaker.thinks_first
