"""What waits is counted as an operator understands it, and by a bounded look."""

from __future__ import annotations

import pytest

from ak_instagram.store.values import EventStatus, TurnResult, WaitReason
from ak_instagram.store.verbs import backlog, claims, steps
from ak_instagram.store.verbs.backlog import Backlog
from ak_instagram.store.verbs.operators import dead_letters
from ak_instagram.store.verbs.operators.dead_letters import Filter
from tests.support.store_bench import DAY, LEASE, START, answered, arrival, claim_one, sending

EMPTY = Backlog(due=0, overdue=0, parked=0, dead_turns=0, dead_answers=0, newest=None)


def dead(claim, *apology: str, turn: str = "turn") -> TurnResult:
    """The agent has failed on the claim's events for good."""
    return TurnResult(
        turn=turn,
        events=dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD),
        reason="it answered 500",
        messages=tuple({"text": text} for text in apology),
    )


# --- due --------------------------------------------------------------------


async def test_an_empty_store_has_nothing_to_tell(store):
    assert await store.run(backlog.measure) == EMPTY


async def test_unclaimed_work_is_due_since_it_could_have_been_claimed(bench, store):
    await store.put([arrival("m1", "anna")])
    bench.clock.move(2_000)
    await store.put([arrival("m2", "ben")])
    bench.clock.move(3_000)

    waiting = await store.run(backlog.measure)

    assert (waiting.due, waiting.overdue) == (2, 5_000)


async def test_claimed_work_is_not_due(bench, store):
    await store.put([arrival("m1")])
    await claim_one(store)
    bench.clock.move(LEASE - 1)

    assert (await store.run(backlog.measure)).due == 0


async def test_work_of_a_dead_process_is_due_since_its_lease_ended(bench, store):
    await store.put([arrival("m1")])
    await claim_one(store)
    bench.clock.move(LEASE + 700)

    waiting = await store.run(backlog.measure)

    assert (waiting.due, waiting.overdue) == (1, 700)


@pytest.mark.parametrize("wait_reason", [None, WaitReason.OTHER])
async def test_a_retry_is_due_once_its_time_has_come(bench, store, wait_reason):
    await store.put([arrival("m1")])
    await store.run(
        steps.retry, await claim_one(store), after=9, why="503", wait_reason=wait_reason
    )
    bench.clock.move(8_999)
    before = await store.run(backlog.measure)
    bench.clock.move(1_001)

    after = await store.run(backlog.measure)

    assert (before.due, before.overdue) == (0, 0)
    assert (after.due, after.overdue) == (1, 1_000)


async def test_a_burst_is_due_when_it_has_ended(bench):
    store = bench.store(debounce=4_000)
    await store.put([arrival("m1")])
    bench.clock.move(3_999)

    assert (await store.run(backlog.measure)).due == 0


async def test_work_of_a_stopped_account_is_not_due_until_it_can_send_again(bench, store):
    await store.put([arrival("m1")])
    await store.run(
        steps.retry, await claim_one(store), after=30, why="190", wait_reason=WaitReason.ACCOUNT
    )
    bench.clock.move(60_000)
    blocked = await store.run(backlog.measure)

    await store.run(claims.wake_account, "shop")

    assert blocked.due == 0
    assert (await store.run(backlog.measure)).due == 1


async def test_where_a_person_answers_nobody_waits_for_the_bot(bench, store):
    await store.put([arrival("m1")])
    await bench.answer_by_hand(store)
    bench.clock.move(60_000)

    assert (await store.run(backlog.measure)).due == 0


# --- parked, dead, newest ---------------------------------------------------


async def test_parked_pieces_are_counted_and_are_not_due(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    await store.run(steps.settle, claim, answered(claim, "one", "two"))
    bench.clock.move(LEASE)

    waiting = await store.run(backlog.measure)

    assert (waiting.parked, waiting.due) == (2, 0)


async def test_pieces_that_are_on_their_way_are_not_parked(store):
    await sending(store, "one", "two")

    assert (await store.run(backlog.measure)).parked == 0


async def test_dead_letters_are_those_that_are_listed(bench, store):
    await store.put([arrival("m1", "anna"), arrival("m2", "anna"), arrival("m3", "ben")])
    anna, ben = sorted(await store.claim(10), key=lambda claim: claim.contact)
    apology = await store.run(steps.settle, anna, dead(anna, "sorry", "really", turn="t-anna"))
    await store.run(steps.give_up, apology, "551")
    answer = await store.run(steps.settle, ben, answered(ben, "one", "two", turn="t-ben"))
    await store.run(steps.give_up, answer, "551")

    waiting = await store.run(backlog.measure)
    listed = await bench.run(dead_letters.find, Filter())

    assert [letter.what for letter in listed] == ["turn", "answer"]
    assert (waiting.dead_turns, waiting.dead_answers) == (1, 1)


async def test_discarded_dead_letters_are_not_counted(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, dead(claim))

    await bench.run(dead_letters.discard, "turn")

    assert (await store.run(backlog.measure)).dead_turns == 0


async def test_the_newest_event_is_known_once_answered_and_to_other_processes(bench, store):
    await store.put([arrival("m1")])
    bench.clock.move(5_000)
    await store.put([arrival("m2", "ben", at=START - DAY)])
    for claim in await store.claim(10):
        await store.run(steps.settle, claim, answered(claim))
    bench.clock.move(60_000)

    assert (await bench.store("another").run(backlog.measure)).newest == START + 5_000


async def test_a_repeat_is_no_news(bench, store):
    await store.put([arrival("m1")])
    bench.clock.move(5_000)
    await store.put([arrival("m1")])

    assert (await store.run(backlog.measure)).newest == START


# --- the clocks -------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "ahead"),
    [
        pytest.param([], None, id="no-events"),
        pytest.param([600_000], 600_000, id="what-has-not-happened-yet"),
        pytest.param([-600_000], None, id="one-may-be-late"),
        pytest.param([-600_000] * backlog.ENOUGH, -600_000, id="all-are-old"),
        pytest.param([-600_000] * 50 + [-400], -400, id="the-freshest-counts"),
    ],
)
async def test_the_clocks_difference_is_that_of_the_freshest_event(bench, store, times, ahead):
    await store.put([arrival(f"m{n}", at=START + each) for n, each in enumerate(times)])

    assert (await store.run(backlog.measure)).clock_ahead == ahead


# --- cost -------------------------------------------------------------------


async def test_no_more_is_looked_at_than_a_bound(bench, store):
    await store.put([arrival(f"m{n}", f"p{n}") for n in range(backlog.MAX_ROWS + 3)])
    bench.clock.move(4_000)

    waiting = await store.run(backlog.measure)

    assert (waiting.due, waiting.overdue) == (backlog.MAX_ROWS, 4_000)
