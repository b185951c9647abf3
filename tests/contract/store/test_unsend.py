"""What a person takes back is forgotten and not answered, whenever its unsend arrives."""

from __future__ import annotations

from ak_instagram.store.lease_statements import MOST_EVENTS
from ak_instagram.store.values import Line
from tests.store_bench import DAY, START, answered, arrival, claim_one


def unsend(mid: str):
    event = arrival(mid, kind="unsend", key=f"unsend:{mid}", payload="{}")
    return event._replace(takes_back=f"message:{mid}")


async def test_a_waiting_message_is_wiped(bench, store):
    await store.put([arrival("m1"), arrival("m2")])

    await store.put([unsend("m1")])

    claim = await claim_one(store)
    assert [(event.kind, event.mid) for event in claim.events] == [
        ("message", "m2"),
        ("unsend", "m1"),
    ]
    assert await bench.query("SELECT status, payload FROM events WHERE key = 'message:m1'") == [
        ("unsent", None)
    ]


async def test_an_answered_message_is_wiped_with_its_line_of_the_transcript(bench):
    store = bench.store(lines=10)
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    lines = (Line("user", "my card number"), Line("assistant", "thanks"))
    await store.settle(claim, answered(claim, lines=lines))

    await store.put([unsend("m1")])

    assert await bench.query("SELECT payload FROM events WHERE key = 'message:m1'") == [(None,)]
    assert await bench.query("SELECT text FROM transcript") == [("thanks",)]


async def test_an_unsend_that_overtakes_its_message_counts(store):
    await store.put([unsend("m1")])
    await store.put([arrival("m1")])

    claim = await claim_one(store)

    assert {(event.kind, event.is_unsent) for event in claim.events} == {
        ("unsend", True),
        ("message", True),
    }


async def test_taking_back_what_has_been_answered_costs_no_second_question(store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.settle(claim, answered(claim))
    await store.put([arrival("m2")])
    claim = await claim_one(store)
    await store.put([unsend("m1")])

    step = await store.settle(claim, answered(claim, "one"))

    assert step.piece.message == {"text": "one"}


async def test_a_turn_can_end_although_more_waits_than_a_turn_takes(store):
    await store.put([arrival(f"m{n}", at=START + n) for n in range(MOST_EVENTS + 1)])
    claim = await claim_one(store)
    await store.put([unsend(f"m{MOST_EVENTS}")._replace(at=START + DAY)])

    step = await store.settle(claim, answered(claim, "one"))

    assert step.piece.message == {"text": "one"}
