"""A person asks the service itself for a person, or for a new start; the agent hears nothing."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from ak_instagram.agents.agent import Text
from ak_instagram.backoff import Backoff
from ak_instagram.conversation.answering import Answering
from ak_instagram.conversation.requests import Requests
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.typing import TypingIndicator
from ak_instagram.settings.model import Account
from ak_instagram.store.values import Claim, EventStatus, StoredEvent, TranscriptLine, TurnResult
from tests.support.fakes import FakeAgent, FakeGraph, FakeStore

WORDS = Requests(("human", "* a real person*"), "Ann will be with you")
RESET = Requests(reset="/reset", reset_reply="Let's begin")
ANSWERED, IGNORED = EventStatus.ANSWERED, EventStatus.IGNORED


def said(*items: dict[str, object]) -> Claim:
    """Return a claim with *items* of `messaging[]`, whose ids count from 1."""
    kinds = {"message": "message", "postback": "postback", "message_edit": "edit"}
    events = []
    for id_, item in enumerate(items, 1):
        [(member, value)] = item.items()
        assert isinstance(value, dict)
        events.append(StoredEvent(id_, kinds[member], value["mid"], id_, json.dumps(item)))
    return Claim("shop", "anna", 1, events=tuple(events))


def text(words: str, mid: str = "m1") -> dict[str, object]:
    return {"message": {"mid": mid, "text": words}}


def tap(payload: str) -> dict[str, object]:
    return {"postback": {"mid": "m1", "title": "Help", "payload": payload}}


async def answer(
    claim: Claim, requests: Requests, history: int = 0
) -> tuple[FakeAgent, list[TurnResult]]:
    agent, store = FakeAgent([Text("I am a bot")], history=history), FakeStore()
    answering = Answering(
        store=store,
        agent=agent,
        circuit_breaker=CircuitBreaker(),
        typing_indicator=TypingIndicator(FakeGraph()),
        backoff=Backoff(),
        max_answer=1000,
        timeout=5.0,
        fallback="Sorry!",
        spawn=lambda call: call.close(),
        requests=requests,
    )
    await answering.answer(claim, Account("token"))
    return agent, [entry[1] for entry in store.log if entry[0] == "settle"]


@pytest.mark.parametrize(
    ("item", "is_request"),
    [
        pytest.param(text("human"), True, id="the-word"),
        pytest.param(text("  HUMAN "), True, id="loosely"),
        pytest.param(text("I want a real person!"), True, id="a-wildcard"),
        pytest.param(text("Are you human?"), False, id="within-other-words"),
        pytest.param(tap("HUMAN"), True, id="what-a-button-stands-for"),
        pytest.param(tap("HOURS"), False, id="another-button"),
    ],
)
async def test_the_chosen_words_ask_for_a_person(item, is_request):
    agent, [result] = await answer(said(item), WORDS)

    assert result.hands_over is is_request
    assert bool(agent.asked) is not is_request


async def test_whoever_asks_for_a_person_is_told_and_left_to_one():
    with capture_logs() as logs:
        _, [result] = await answer(said(text("hi"), text("human", "m2")), WORDS, history=5)

    assert result.messages == ({"text": "Ann will be with you"},)
    assert result.events == {1: ANSWERED, 2: ANSWERED}
    assert result.lines == (
        TranscriptLine("user", "hi\nhuman"),
        TranscriptLine("assistant", "Ann will be with you"),
    )
    [line] = logs
    assert line["event"] == "turn.handed_off"
    assert line["reason"] == "the person asks for a person: the bot falls silent"


async def test_without_a_confirmation_there_is_silence():
    _, [result] = await answer(said(text("human")), Requests(("human",)))

    assert (result.messages, result.hands_over) == ((), True)


async def test_a_new_start_leaves_what_came_before_it_and_what_comes_after_it_to_the_agent():
    claim = said(text("hi"), text("/Reset", "m2"), text("Are you open?", "m3"))

    agent, [result] = await answer(claim, RESET)

    assert result.events == {1: IGNORED, 2: IGNORED}, "the third is the new session's"
    assert (result.starts_over, result.reason) == (True, "the person began anew")
    assert result.messages == ({"text": "Let's begin"},)
    assert agent.asked == []


async def test_a_message_that_was_edited_into_a_new_start_is_one():
    edit: dict[str, object] = {"message_edit": {"mid": "m1", "text": "/reset", "num_edit": 1}}

    _, [result] = await answer(said(text("/rest"), text("Open?", "m2"), edit), RESET)

    assert (result.starts_over, set(result.events)) == (True, {1})


async def test_what_is_no_request_is_the_agents():
    agent, [result] = await answer(said(text("/reset please")), RESET)

    assert len(agent.asked) == 1
    assert not result.starts_over


def test_nothing_is_offered_by_default():
    assert not Requests().are_offered
