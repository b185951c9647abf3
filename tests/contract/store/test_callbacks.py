"""An answer that the agent posts is awaited by its turn alone, and taken once, on any replica."""

from __future__ import annotations

import pytest

from ak_instagram.agents.agent import Callback
from ak_instagram.conversation.turn import compose, turn_id
from ak_instagram.store.values import AwaitedAnswer, Claim, EventStatus, TurnResult, WaitReason
from ak_instagram.store.verbs import backlog, callbacks, retention, steps
from ak_instagram.store.verbs.callbacks import Taken
from ak_instagram.store.verbs.operators.dead_letters import replay
from tests.support.store_bench import (
    DAY,
    LEASE,
    START,
    answered,
    arrival,
    claim_one,
    mids,
    piece_of,
    unsend,
)

HOUR = 3600.0
BODY = '{"reply": "It left."}'


@pytest.fixture
def store(bench):
    """A store whose agent posts its answers."""
    return bench.store(awaits=True)


@pytest.fixture
def other(bench):
    """The store of another replica."""
    return bench.store("two", awaits=True)


async def asked(store, *names: str) -> Claim:
    """Messages whose turn the agent has taken; the conversation waits."""
    await store.put([arrival(name, at=START + at) for at, name in enumerate(names or ("m1",))])
    claim = await claim_one(store)
    assert await store.run(steps.defer, claim, HOUR) is None
    return claim


async def due(store) -> list[Claim]:
    return await store.run(steps.claim_due, 10)


async def take(store, claim: Claim, body: str = BODY) -> Taken:
    return await store.run(callbacks.take, turn_id(claim), body)


def callback_of(claim: Claim) -> Callback | None:
    turn = compose(claim).turn
    return turn.callback if turn else None


def awaited(claim: Claim) -> AwaitedAnswer:
    assert claim.awaited is not None
    return claim.awaited


async def settle(store, claim: Claim, *texts: str):
    return await store.run(steps.settle, claim, answered(claim, *texts, turn=turn_id(claim)))


# --- waiting ----------------------------------------------------------------


async def test_a_turn_is_known_before_the_agent_is_asked(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)

    assert (awaited(claim).turn, awaited(claim).until) == (turn_id(claim), None)
    assert await bench.query("SELECT turn, status FROM callbacks") == [(turn_id(claim), "awaited")]


async def test_a_deferred_turn_holds_no_lease_and_is_due_only_when_it_is_overdue(bench, store):
    claim = await asked(store)

    bench.clock.move(int(HOUR * 1000) - 1)
    early = await due(store)
    waits = await store.run(backlog.measure)
    bench.clock.move(1)
    [overdue] = await due(store)

    assert early == []
    assert (waits.due, waits.overdue) == (0, 0)
    assert mids(overdue) == ["m1"]
    assert callback_of(overdue) == Callback(None, is_overdue=True)
    assert turn_id(overdue) == turn_id(claim)


async def test_what_the_person_writes_meanwhile_hastens_nothing_and_makes_the_next_turn(store):
    claim = await asked(store)
    await store.put([arrival("m2", at=START + 5)])

    before = await due(store)
    assert await take(store, claim) is Taken.ACCEPTED
    [first] = await due(store)
    step = await settle(store, first, "It left.")
    sent = await store.run(steps.sent, step, "mid-1")

    assert before == []
    assert (mids(first), awaited(first).body) == (["m1"], BODY)
    assert piece_of(step).message == {"text": "It left."}
    assert sent is not None
    assert mids(sent) == ["m2"]
    assert awaited(sent).body is None
    assert awaited(sent).turn != awaited(first).turn


async def test_other_agents_have_no_such_rows_and_defer_nothing(bench):
    store = bench.store()
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    with pytest.raises(ValueError, match="not Deferring"):
        await store.run(steps.defer, claim, HOUR)
    await settle(store, claim)

    assert claim.awaited is None
    assert await bench.query("SELECT * FROM callbacks") == []


# --- answers ----------------------------------------------------------------


async def test_an_answer_wakes_its_turn_on_any_replica(bench, store, other):
    claim = await asked(store)

    taken = await take(other, claim)
    [woken] = await due(other)

    assert taken is Taken.ACCEPTED
    assert awaited(woken).body == BODY
    assert callback_of(woken) == Callback(BODY)
    assert woken.fence > claim.fence


async def test_an_answer_before_the_202_is_there_when_the_turn_is_deferred(store, other):
    await store.put([arrival("m1")])
    claim = await claim_one(store)

    taken = await take(other, claim)
    meanwhile = await due(other)
    step = await store.run(steps.defer, claim, HOUR)

    assert taken is Taken.ACCEPTED
    assert meanwhile == []
    assert step is not None
    assert awaited(step).body == BODY


async def test_an_answer_after_a_crash_is_found_by_whoever_claims_next(bench, store, other):
    await store.put([arrival("m1")])
    claim = await claim_one(store)  # and its process is killed while it asks

    assert await take(other, claim) is Taken.ACCEPTED
    bench.clock.move(LEASE)
    [found] = await due(other)

    assert awaited(found).body == BODY


async def test_the_first_answer_counts_and_repeats_are_harmless(bench, store):
    claim = await asked(store)

    taken = [await take(store, claim), await take(store, claim, '{"reply": "other"}')]
    [woken] = await due(store)
    await settle(store, woken, "It left.")
    taken.append(await take(store, claim))

    assert taken == [Taken.ACCEPTED, Taken.REPEATED, Taken.REPEATED]
    assert awaited(woken).body == BODY
    assert await bench.query("SELECT body, status FROM callbacks") == [(None, "answered")]
    assert await bench.query("SELECT count(*) FROM outbox") == [(1,)]


async def test_an_answer_to_no_turn_is_unknown(store):
    assert await store.run(callbacks.take, "0" * 32, BODY) is Taken.UNKNOWN


# --- turns that end otherwise -----------------------------------------------


async def test_a_turn_of_which_something_is_taken_back_is_asked_anew_at_once(store):
    claim = await asked(store, "m1", "m2")
    await store.put([unsend("m1", at=START + 5)])

    late = await take(store, claim)
    [anew] = await due(store)

    assert late is Taken.GONE
    assert "m2" in mids(anew)
    assert awaited(anew).turn != turn_id(claim)
    assert awaited(anew).until is None
    assert await take(store, claim) is Taken.GONE
    assert await take(store, anew) is Taken.ACCEPTED


async def test_what_was_taken_back_before_it_was_asked_does_not_ask_again(bench, store):
    await store.put([unsend("m1"), arrival("m1"), arrival("m2", at=START + 1)])
    claim = await claim_one(store)
    await store.run(steps.defer, claim, HOUR)

    assert await take(store, claim) is Taken.ACCEPTED
    [woken] = await due(store)

    assert turn_id(woken) == turn_id(claim)
    assert awaited(woken).body == BODY


async def test_when_a_person_answers_nobody_waits_any_more(bench, store):
    claim = await asked(store)
    await bench.answer_by_hand(store)

    late = await take(store, claim)
    assert await due(store) == []

    assert late is Taken.GONE
    assert await take(store, claim) is Taken.GONE
    assert await bench.query("SELECT status FROM callbacks") == [("gone",)]
    sql = "SELECT status, reason FROM events WHERE kind = 'message'"
    assert await bench.query(sql) == [("ignored", "a person answers")]


async def test_a_turn_that_was_given_up_is_gone_and_its_replay_is_awaited_anew(bench, store):
    claim = await asked(store)
    bench.clock.move(int(HOUR * 1000))
    [overdue] = await due(store)
    dead = dict.fromkeys((event.id for event in overdue.events), EventStatus.DEAD)
    await store.run(steps.settle, overdue, TurnResult(turn_id(claim), dead, "gave up"))

    gone = await take(store, claim)
    await store.run(replay, turn_id(claim))
    [again] = await due(store)

    assert gone is Taken.GONE
    assert awaited(again).until is None
    assert await take(store, again) is Taken.ACCEPTED


# --- attempts ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("wait_reason", "body"),
    [
        pytest.param(None, None, id="failed"),
        pytest.param(WaitReason.ACCOUNT, BODY, id="the-account-is-stopped"),
    ],
)
async def test_a_failed_attempt_asks_again_and_a_wait_keeps_the_answer(store, wait_reason, body):
    claim = await asked(store)
    await take(store, claim)
    [woken] = await due(store)

    await store.run(steps.retry, woken, after=0, why="why", wait_reason=wait_reason)
    [again] = await due(store)

    assert awaited(again).body == body
    assert again.failures == (1 if wait_reason is None else 0)
    assert turn_id(again) == turn_id(claim)


async def test_an_answer_to_an_earlier_attempt_is_still_one(bench, store):
    claim = await asked(store)
    bench.clock.move(int(HOUR * 1000))
    [overdue] = await due(store)
    await store.run(steps.retry, overdue, after=60, why="overdue")

    assert await take(store, claim) is Taken.ACCEPTED
    [woken] = await due(store)

    assert awaited(woken).body == BODY


async def test_failures_are_counted_while_the_turn_waits(bench, store):
    claim = await asked(store)
    bench.clock.move(int(HOUR * 1000))
    [overdue] = await due(store)
    await store.run(steps.retry, overdue, after=0, why="overdue")
    [second] = await due(store)
    await store.run(steps.defer, second, HOUR)
    bench.clock.move(int(HOUR * 1000))

    [third] = await due(store)

    assert third.failures == 1
    assert turn_id(third) == turn_id(claim)


# --- retention --------------------------------------------------------------


async def test_only_what_is_settled_is_forgotten(bench, store):
    await asked(store, "m1")
    await store.put([arrival("m2", "ben")])
    claim = await claim_one(store)
    await settle(store, claim)
    bench.clock.move(3 * DAY)

    purged = await store.run(retention.purge, 2 * DAY)

    assert purged.callbacks == 1
    assert await bench.query("SELECT contact FROM callbacks") == [("anna",)]
