"""Retention: what is settled is forgotten in time, and nothing that is still wanted is."""

from __future__ import annotations

import pytest

from ak_instagram.store.values import EventStatus, TranscriptLine, TurnResult, WaitReason
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.retention import DAY, MAX_ROWS, Kinds, purge
from tests.support.store_bench import START, answered, arrival, claim_none, claim_one, echo, sending

LATER = START + 30 * DAY
TABLES = ("events", "outbox", "conversations", "transcript")


async def purged(bench, days: float = 7) -> int:
    """Purge until nothing is left to purge; return how many rows that was."""
    total = 0
    while count := (await bench.run(purge, int(days * DAY))).total:
        total += count
    return total


async def rows(bench) -> dict[str, int]:
    return {
        it: (await bench.query(f"SELECT count(*) FROM {it}"))[0][0]  # noqa: S608 - our own names
        for it in TABLES
    }


async def count(bench, table: str, condition: str) -> int:
    sql = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608 - our own names
    return (await bench.query(sql))[0][0]


async def test_answered_events_are_purged_after_their_time(bench, store):
    await store.put([echo("h1", "hi", "ben")])
    step = await sending(store, "one")
    await store.run(steps.sent, step, "mid-1")
    bench.clock.move(8 * DAY + 1)

    await purged(bench)

    assert await rows(bench) == dict.fromkeys(TABLES, 0)


async def test_younger_events_stay(bench, store):
    step = await sending(store, "one")
    await store.run(steps.sent, step, "mid-1")
    bench.clock.move(7 * DAY - 1)

    assert await purged(bench) == 0


async def test_waiting_events_stay_while_somebody_may_yet_answer_them(bench, store):
    await store.put([arrival("m1")])
    bench.clock.move(100 * DAY)

    assert await purged(bench) == 0
    assert await count(bench, "events", "status = 'waiting'") == 1


async def test_what_came_too_late_to_answer_is_forgotten_unless_the_person_writes(bench, store):
    await store.put([arrival("m1")])
    bench.clock.move(2 * DAY)
    await claim_none(store)
    bench.clock.move(5 * DAY)
    assert await purged(bench) == 0
    bench.clock.move(DAY + 1)

    await purged(bench)

    assert await rows(bench) == dict.fromkeys(TABLES, 0)


async def test_keys_outlive_what_the_events_said(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, answered(claim))
    bench.clock.move(3 * DAY)

    await purged(bench, days=2)

    assert await bench.query("SELECT mid, payload FROM events") == [("m1", None)]
    await store.put([arrival("m1")])
    assert await bench.query("SELECT due_at FROM conversations") == [(None,)]


async def test_a_parked_answer_expires(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    assert await store.run(steps.settle, claim, answered(claim, "late")) is None
    bench.clock.move(7 * DAY + 1)

    await purged(bench)

    assert await bench.query("SELECT count(*) FROM outbox") == [(0,)]


async def test_a_piece_sent_late_is_kept_until_its_echo_can_not_come_any_more(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    bench.clock.move(DAY)
    assert await store.run(steps.settle, claim, answered(claim, "late")) is None
    bench.clock.move(7 * DAY - 1)
    await store.put([arrival("m2", at=bench.clock.now)])
    await store.run(steps.sent, await claim_one(store), "mid-1")
    bench.clock.move(2)

    await purged(bench)
    await store.put([echo("mid-1", "late")._replace(at=bench.clock.now - 2)])

    assert await bench.query("SELECT paused_until FROM conversations") == [(0,)]


async def test_one_purge_is_bounded(bench, store):
    await store.put([echo(f"h{n}", "hi") for n in range(MAX_ROWS + 1)])
    bench.clock.move(8 * DAY)

    first = await bench.run(purge, 7 * DAY)

    assert first.events == MAX_ROWS


# --- what has to stay, however old, keeps nothing else -------------------------


async def test_waiting_messages_of_a_stopped_account_do_not_keep_other_events(bench, store):
    await store.put([arrival(f"m{n}", "anna") for n in range(MAX_ROWS + 1)])
    await store.run(
        steps.retry, await claim_one(store), after=10**6, why="190", wait_reason=WaitReason.ACCOUNT
    )
    await store.put([echo(f"h{n}", "hi", "ben") for n in range(10)])
    bench.clock.now = LATER

    await purged(bench)

    assert await count(bench, "events", "status = 'waiting'") == MAX_ROWS + 1
    assert await count(bench, "events", "status <> 'waiting'") == 0


async def test_waiting_pieces_do_not_keep_other_pieces(bench, store):
    waiting = await sending(store, *map(str, range(MAX_ROWS + 1)))
    await store.run(steps.retry, waiting, after=10**6, why="190", wait_reason=WaitReason.ACCOUNT)
    step = await sending(store, "hi", mid="m2", contact="ben")
    await store.run(steps.sent, step, "mid-1")
    bench.clock.now = LATER

    await purged(bench)

    assert await count(bench, "outbox", "status = 'planned'") == MAX_ROWS + 1
    assert await count(bench, "outbox", "status <> 'planned'") == 0


@pytest.mark.parametrize(
    ("days", "kept_keys", "kept_texts"),
    [
        pytest.param(2, 7, 2, id="keys-live-a-week-whatever-is-set"),
        pytest.param(7, 7, 7, id="the-default"),
        pytest.param(10, 10, 10, id="longer-if-that-is-set"),
    ],
)
async def test_events_texts_and_pieces_go_when_the_setting_says(
    bench, store, days, kept_keys, kept_texts
):
    for day in range(12):
        step = await sending(store, "hi", mid=f"m{day}", at=bench.clock.now)
        await store.run(steps.sent, step, f"mid-{day}")
        bench.clock.move(DAY)

    await purged(bench, days)

    assert await count(bench, "events", "true") == kept_keys
    assert await count(bench, "events", "payload IS NOT NULL") == kept_texts
    assert await count(bench, "outbox", "true") == kept_texts


async def test_a_repeat_within_a_week_is_known_whatever_is_set(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, answered(claim))
    bench.clock.move(7 * DAY)
    await purged(bench, days=2)

    await store.put([arrival("m1")])

    assert await count(bench, "events", "status = 'waiting'") == 0


# --- kinds of data with a time of their own ---------------------------------------


@pytest.mark.parametrize(
    ("kinds", "kept"),
    [
        pytest.param({}, (1, 1, 1, 1, 1), id="all-alike"),
        pytest.param({"messages": 0}, (0, 1, 1, 0, 1), id="messages-at-once"),
        pytest.param({"answers": 2 * DAY}, (1, 0, 1, 1, 0), id="answers-sooner"),
        pytest.param({"transcript": 0}, (1, 1, 0, 1, 1), id="no-transcript"),
        pytest.param({"dead_letters": 0}, (1, 1, 1, 0, 0), id="no-dead-letters"),
        pytest.param(
            {"messages": 0, "answers": 0, "transcript": 0, "dead_letters": 30 * DAY},
            (0, 0, 0, 1, 1),
            id="dead-letters-alone",
        ),
    ],
)
async def test_each_kind_goes_when_its_own_setting_says(bench, store, kinds, kept):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    said = answered(claim, "hi", lines=(TranscriptLine("user", "hi"),))
    await store.run(steps.sent, await store.run(steps.settle, claim, said), "mid-1")
    step = await sending(store, "hi", mid="m2", contact="ben", turn="given up")
    await store.run(steps.give_up, step, "551")
    await store.put([arrival("m3", "cleo")])
    claim = await claim_one(store)
    dead = {claim.events[0].id: EventStatus.DEAD}
    await store.run(steps.settle, claim, TurnResult("dead", dead, reason="503"))
    bench.clock.move(3 * DAY)

    while (await bench.run(purge, 7 * DAY, Kinds(**kinds))).total:
        pass

    assert kept == (
        await count(bench, "events", "mid = 'm1' AND payload IS NOT NULL"),
        await count(bench, "outbox", "status = 'sent'"),
        await count(bench, "transcript", "true"),
        await count(bench, "events", "mid = 'm3' AND payload IS NOT NULL"),
        await count(bench, "outbox", "status = 'dead'"),
    )
    assert await count(bench, "events", "true") == 3  # their keys


async def test_dead_letters_may_be_kept_longer_than_all_else(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    await store.run(
        steps.settle, claim, TurnResult("dead", {claim.events[0].id: EventStatus.DEAD}, "503")
    )
    bench.clock.move(20 * DAY)

    while (await bench.run(purge, 7 * DAY, Kinds(dead_letters=30 * DAY))).total:
        pass
    early = await count(bench, "events", "payload IS NOT NULL")
    bench.clock.move(11 * DAY)
    while (await bench.run(purge, 7 * DAY, Kinds(dead_letters=30 * DAY))).total:
        pass

    assert (early, await count(bench, "events", "true")) == (1, 0)
