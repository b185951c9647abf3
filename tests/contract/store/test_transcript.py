"""What a person and an agent say joins the transcript, whatever characters JSON can spell."""

from __future__ import annotations

import json

import pytest

from ak_instagram.agents.agent import Text
from ak_instagram.backoff import Backoff
from ak_instagram.conversation.answering import Answering
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.typing import TypingIndicator
from ak_instagram.settings.model import Account
from ak_instagram.store.values import EventStatus, TranscriptLine, TurnResult
from ak_instagram.store.verbs import steps
from tests.support.fakes import FakeAgent, FakeGraph
from tests.support.store_bench import START, answered, arrival, claim_one, mids, piece_of

ODD = "a\0b\ud83d"  # neither of which PostgreSQL's text can hold
MENDED = "a\ufffdb\ufffd"


def answering(store, agent) -> Answering:
    """A worker's part that asks *agent* as the service does."""
    graph = FakeGraph()
    return Answering(
        store=store,
        agent=agent,
        circuit_breaker=CircuitBreaker(),
        typing_indicator=TypingIndicator(graph),
        backoff=Backoff(max_attempts=1),
        max_answer=1000,
        timeout=5.0,
        fallback="Sorry!",
        spawn=lambda call: call.close(),
    )


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        pytest.param({"message": {"text": ODD}}, MENDED, id="text"),
        pytest.param(
            {
                "message": {
                    "attachments": [{"type": ODD, "payload": {"url": ODD, "title": f"1 {ODD}"}}],
                    "reply_to": {"story": {"url": ODD}},
                    "referral": {"ads_context_data": {"ad_title": ODD}},
                }
            },
            f"[reply to story] {MENDED}\n[came from ad] {MENDED}\n[{MENDED}] 1 {MENDED} {MENDED}",
            id="attachment",
        ),
        pytest.param({"message": {"quick_reply": {"payload": ODD}}}, MENDED, id="payload"),
        pytest.param({"postback": {"title": ODD, "payload": ODD}}, MENDED, id="postback"),
    ],
)
async def test_unstorable_characters_cost_neither_answer_nor_transcript(bench, content, asked):
    store = bench.store(lines=5)
    kind = "postback" if "postback" in content else "message"
    await store.put([arrival("m1", kind=kind, payload=json.dumps(content))])
    agent = FakeAgent([Text(f"Hi {ODD}")], history=5)

    shop = Account("token", account_id="shop")
    step = await answering(store, agent).answer(await claim_one(store), shop)

    assert piece_of(step).message == {"text": f"Hi {MENDED}"}
    await store.put([arrival("m2")])
    step = await store.run(steps.sent, step, "mid-1")
    assert step.transcript == (
        TranscriptLine("user", asked),
        TranscriptLine("assistant", f"Hi {MENDED}"),
    )


async def test_a_new_session_begins_without_what_was_said_before(bench):
    store = bench.store(lines=5)
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    said = (TranscriptLine("user", "hi"), TranscriptLine("assistant", "hello"))
    await store.run(steps.settle, claim, answered(claim, lines=said))
    await store.put([arrival("m2"), arrival("m3", at=START + 1)])
    claim = await claim_one(store)
    reset = TurnResult("turn", {claim.events[0].id: EventStatus.IGNORED}, starts_over=True)

    step = await store.run(steps.settle, claim, reset)

    assert (claim.epoch, claim.transcript) == (0, said)
    assert (step.epoch, step.transcript, mids(step)) == (1, (), ["m3"])
