"""A turn ends in exactly one of answered, another attempt, or a dead letter."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from ak_instagram.agents.agent import (
    Handoff,
    Media,
    MessageEnd,
    Option,
    Part,
    QuickReplies,
    Reaction,
    Silence,
    Text,
)
from ak_instagram.backoff import Backoff
from ak_instagram.conversation.answering import Answering
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.typing import TypingIndicator
from ak_instagram.errors import Permanent, Transient
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.settings.model import Account
from ak_instagram.store.values import (
    Claim,
    EventStatus,
    Piece,
    StoredEvent,
    TranscriptLine,
    TurnResult,
    WaitReason,
)
from tests.support.fakes import FakeAgent, FakeGraph, FakeStore

SHOP = Account("token", agent="general")
ANSWERED, DEAD, IGNORED = EventStatus.ANSWERED, EventStatus.DEAD, EventStatus.IGNORED


def claim(failures: int = 0, payload: object = None) -> Claim:
    content = payload or {"message": {"mid": "m1", "text": "hi"}}
    event = StoredEvent(5, "message", "m1", 1000, json.dumps(content))
    return Claim("shop", "anna", 1, failures=failures, events=(event,))


def answering(agent: FakeAgent, store: FakeStore, graph: FakeGraph | None = None, **changes):
    graph = graph or FakeGraph()
    spawned = changes.pop("spawned", [])
    return Answering(
        store=store,
        agent=agent,
        circuit_breaker=changes.pop("circuit_breaker", CircuitBreaker()),
        typing_indicator=TypingIndicator(graph),
        backoff=Backoff(max_attempts=3, chance=lambda: 0.0),
        max_answer=changes.pop("max_answer", 1000),
        timeout=changes.pop("timeout", 5.0),
        fallback=changes.pop("fallback", "Sorry!"),
        spawn=lambda call: spawned.append(asyncio.ensure_future(call)),
    )


def settled(store: FakeStore) -> TurnResult:
    [(verb, turn_result)] = store.log
    assert verb == "settle"
    assert isinstance(turn_result, TurnResult)
    return turn_result


async def test_the_answer_is_planned_whole_as_its_events_end():
    store, agent = FakeStore(), FakeAgent([Text("**one**"), MessageEnd(), Text("two")])

    await answering(agent, store).answer(claim(), SHOP)

    turn_result = settled(store)
    assert turn_result.messages == ({"text": "one"}, {"text": "two"})
    assert turn_result.events == {5: ANSWERED}
    assert agent.asked[0].agent == "general"


@pytest.mark.parametrize(
    ("error", "failures", "outcome"),
    [
        pytest.param(Transient("503"), 0, 1, id="first-failure"),
        pytest.param(Transient("429", retry_after=30), 1, 30, id="server-says-when"),
        pytest.param(RuntimeError("bug"), 0, 1, id="bug-in-an-adapter"),
    ],
)
async def test_a_failure_that_may_pass_is_tried_again(error, failures, outcome):
    store = FakeStore()

    await answering(FakeAgent(error=error), store).answer(claim(failures), SHOP)

    assert [entry[:2] for entry in store.log] == [("retry", outcome)]


@pytest.mark.parametrize(
    ("error", "failures", "reason"),
    [
        pytest.param(Permanent("400"), 0, "400", id="hopeless"),
        pytest.param(Permanent("400 \0"), 0, "400 \ufffd", id="not-storable"),
        pytest.param(Transient("503"), 2, "gave up: 503", id="last-try"),
        pytest.param(Transient("odd", attempts=2), 1, "gave up: odd", id="last-of-a-few-tries"),
    ],
)
async def test_a_turn_that_failed_for_good_is_a_dead_letter_with_an_apology(
    error, failures, reason
):
    store = FakeStore()

    await answering(FakeAgent(error=error), store).answer(claim(failures), SHOP)

    turn_result = settled(store)
    assert turn_result.events == {5: DEAD}
    assert turn_result.reason == reason
    assert turn_result.messages == ({"text": "Sorry!"},)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([Silence()], id="chosen"),
        pytest.param([], id="nothing"),
        pytest.param([Text(" \n")], id="blank"),
    ],
)
async def test_silence_takes_the_typing_indicator_away(parts):
    store, graph = FakeStore(), FakeGraph()
    spawned: list[asyncio.Future[None]] = []

    await answering(FakeAgent(parts), store, graph, spawned=spawned).answer(claim(), SHOP)
    await asyncio.gather(*spawned)

    assert settled(store).messages == ()
    assert graph.calls == ["mark_seen", "typing_on", "typing_off"]


@pytest.mark.parametrize(
    "agent",
    [
        pytest.param(FakeAgent(error=Transient("503")), id="tried-again-later"),
        pytest.param(FakeAgent([Text("hi")]), id="dropped-for-a-person"),
    ],
)
async def test_the_indicator_goes_wherever_no_piece_follows(agent):
    store, graph = FakeStore(), FakeGraph()
    spawned: list[asyncio.Future[None]] = []

    await answering(agent, store, graph, spawned=spawned).answer(claim(), SHOP)
    await asyncio.gather(*spawned)

    assert graph.calls == ["mark_seen", "typing_on", "typing_off"]


async def test_an_answer_leaves_no_typing_off_behind():
    piece = Piece(1, "turn", 0, {"text": "hi"}, 1, outcome_unknown=False, tried_at=0, planned_at=0)
    store, graph = FakeStore(next_step=lambda: replace(claim(), piece=piece)), FakeGraph()
    spawned: list[asyncio.Future[None]] = []

    await answering(FakeAgent([Text("hi")]), store, graph, spawned=spawned).answer(claim(), SHOP)

    assert (graph.calls, spawned) == (["mark_seen", "typing_on"], [])


async def test_parts_that_can_not_be_sent_are_logged():
    store, agent = FakeStore(), FakeAgent([Media("image", "nowhere"), Handoff("?")])

    with capture_logs() as logs:
        await answering(agent, store).answer(claim(), SHOP)

    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "part.refused",
        "turn.handed_off",
    ]


async def test_neither_the_person_nor_the_transcript_gets_a_thought():
    store = FakeStore()
    agent = FakeAgent([Text("<think>margin"), Text(" 40 %</think>\n\nAt **nine**.")], history=9)

    await answering(agent, store).answer(claim(), SHOP)

    turn_result = settled(store)
    assert turn_result.messages == ({"text": "At nine."},)
    assert turn_result.lines == (
        TranscriptLine("user", "hi"),
        TranscriptLine("assistant", "At **nine**."),
    )


async def test_a_thought_that_does_not_end_is_tried_again():
    store = FakeStore()

    await answering(FakeAgent([Text("<think>margin 40 %")]), store).answer(claim(), SHOP)

    assert [entry[:2] for entry in store.log] == [("retry", 1)]


async def test_an_apology_that_can_not_be_stored_is_made_so():
    store = FakeStore()
    agent = FakeAgent(error=Permanent("400"))

    await answering(agent, store, fallback="Sorry \ud83d\0").answer(claim(), SHOP)

    assert settled(store).messages == ({"text": "Sorry \ufffd\ufffd"},)


class HeldExecutor(ThreadPoolExecutor):
    """The loop's threads, which begin no work before *release* is set."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self.submitted = asyncio.Event()
        self.release = threading.Event()

    def submit(self, fn, /, *args, **kwargs):
        self.submitted.set()
        return super().submit(self._run_released, fn, *args, **kwargs)

    def _run_released(self, fn, *args, **kwargs):
        assert self.release.wait(10)
        return fn(*args, **kwargs)


@pytest.fixture
async def threads():
    """The loop's threads."""
    executor = HeldExecutor()
    asyncio.get_running_loop().set_default_executor(executor)
    yield executor
    executor.release.set()
    executor.shutdown()


async def test_the_loop_is_free_while_a_long_answer_is_planned(threads):
    store, agent = FakeStore(), FakeAgent([Text("**word** " * 5000)])
    answer = asyncio.create_task(answering(agent, store, max_answer=65_536).answer(claim(), SHOP))

    await threads.submitted.wait()  # were the loop not free, this would never go on
    threads.release.set()
    await answer

    messages = settled(store).messages
    assert " ".join(str(message["text"]) for message in messages) == ("word " * 5000).strip()


async def test_a_short_answer_needs_no_thread(threads):
    store, agent = FakeStore(), FakeAgent([Text("**word** " * 50)])

    await answering(agent, store).answer(claim(), SHOP)

    assert len(settled(store).messages) == 1
    assert not threads.submitted.is_set()


async def test_events_that_say_nothing_are_settled_without_the_agent():
    store, agent = FakeStore(), FakeAgent([Text("hi")])

    unsend = StoredEvent(5, "unsend", "m1", 1000, '{"message": {"mid": "m1", "is_deleted": true}}')

    await answering(agent, store).answer(Claim("shop", "anna", 1, events=(unsend,)), SHOP)

    assert (settled(store).events, agent.asked) == ({5: IGNORED}, [])


async def test_events_of_an_account_that_is_not_configured_are_ignored():
    store, agent = FakeStore(), FakeAgent([Text("hi")])

    await answering(agent, store).answer(claim(), None)

    assert (settled(store).events, agent.asked) == ({5: IGNORED}, [])


@pytest.mark.parametrize(
    ("agent", "timeout", "verb"),
    [
        pytest.param(FakeAgent([Text("a" * 1001)]), 5.0, "settle", id="too-long-for-good"),
        pytest.param(FakeAgent(gate=asyncio.Event()), 0.01, "retry", id="too-late-for-now"),
    ],
)
async def test_an_answer_is_kept_to_its_limits(agent, timeout, verb):
    store = FakeStore()

    await answering(agent, store, timeout=timeout).answer(claim(), SHOP)

    assert [entry[0] for entry in store.log] == [verb]


async def test_lines_are_kept_for_agents_without_memory_only():
    with_memory, without = FakeStore(), FakeStore()

    said: list[Part] = [
        *(Text("hel"), Text("lo"), MessageEnd(), Text("again"), MessageEnd()),
        *(Media("image", "https://a.example/1.png"), Reaction("❤")),
        *(Text("Which?"), QuickReplies((Option("Red", "R"), Option("Blue", "B")))),
    ]

    await answering(FakeAgent(said), with_memory).answer(claim(), SHOP)
    await answering(FakeAgent(said, history=20), without).answer(claim(), SHOP)

    assert settled(with_memory).lines == ()
    assert settled(without).lines == (
        TranscriptLine("user", "hi"),
        TranscriptLine(
            "assistant",
            "hello\nagain\n\n[image] https://a.example/1.png\n\nWhich?\n(Red / Blue)",
        ),
    )


async def test_no_message_text_is_logged():
    store, agent = FakeStore(), FakeAgent([Text("the-answer")])

    with capture_logs() as logs:
        await answering(agent, store).answer(
            claim(payload={"message": {"mid": "m1", "text": "the-question"}}), SHOP
        )

    assert logs
    assert "the-" not in repr(logs)


async def test_the_agent_is_not_asked_while_the_account_can_not_answer():
    store, agent, circuit_breaker = (
        FakeStore(),
        FakeAgent([Text("hi")]),
        CircuitBreaker(now=lambda: 0.0),
    )
    circuit_breaker.open("shop", "zoe", 0.0, ErrorClass.AUTHORIZATION, "the token is dead")

    await answering(agent, store, circuit_breaker=circuit_breaker).answer(claim(), SHOP)

    assert agent.asked == []
    assert [(entry[0], entry[3]) for entry in store.log] == [("retry", WaitReason.ACCOUNT)]


async def test_a_handoff_silences_the_bot():
    store, agent = FakeStore(), FakeAgent([Text("A colleague will help."), Handoff("angry")])

    await answering(agent, store).answer(claim(), SHOP)

    assert settled(store).hands_over
    assert settled(store).messages == ({"text": "A colleague will help."},)
