"""Operators find conversations and see their whole past; what they change is on record."""

from __future__ import annotations

import pytest

from ak_instagram.store.values import EventStatus, FailedCall, TurnResult
from ak_instagram.store.verbs import retention, steps
from ak_instagram.store.verbs.operators import changes, conversations, log, timeline
from ak_instagram.store.verbs.operators.conversations import State
from ak_instagram.store.verbs.operators.dead_letters import Filter
from ak_instagram.store.verbs.operators.timeline import TOP
from tests.support.store_bench import DAY, START, answered, arrival, claim_one, echo, sending

PEOPLE = ("7500", "7501", "7599", "76", "8")


async def fill(bench, store) -> None:
    for contact in PEOPLE:
        bench.clock.move(1000)
        await store.put([arrival(f"m{contact}", contact)])


def contacts(page) -> list[str]:
    return [it.contact for it in page.conversations]


async def test_the_latest_come_first_page_by_page_and_nobody_twice(bench, store):
    await fill(bench, store)
    await store.put([arrival("again", "7501")])
    found, after = [], ()

    while after is not None:
        page = await bench.run(conversations.find, "", None, after, 2)
        found += contacts(page)
        after = page.next

    assert found == ["7501", "8", "76", "7599", "7500"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("75", ["7500", "7501", "7599"], id="how-ids-begin"),
        pytest.param("7599", ["7599"], id="whole-id"),
        pytest.param("9", [], id="nobody"),
        pytest.param("shop", list(PEOPLE), id="account"),
        pytest.param("' OR 1=1 --", [], id="not-an-id"),
    ],
)
async def test_people_are_found_by_how_their_ids_begin(bench, store, query, found):
    await fill(bench, store)

    first = await bench.run(conversations.find, query, None, (), 2)
    rest = await bench.run(conversations.find, query, None, first.next, 9) if first.next else None

    assert contacts(first) + (contacts(rest) if rest else []) == found


@pytest.mark.parametrize(
    ("state", "found"),
    [
        pytest.param(State.WAITING, ["anna", "ben", "cora"], id="waiting"),
        pytest.param(State.RETRYING, ["ben"], id="retrying"),
        pytest.param(State.PAUSED, ["dora"], id="paused"),
        pytest.param(State.PARKED, ["cora"], id="parked"),
        pytest.param(State.DEAD, ["emil"], id="dead"),
    ],
)
async def test_conversations_are_found_by_what_goes_on_in_them(bench, store, state, found):
    claim = await sending(store, "Hi", mid="c1", contact="cora")
    await store.run(steps.close_window, claim, "closed")
    await store.put([arrival("e1", "emil")])
    claim = await claim_one(store)
    dead = TurnResult("t-emil", {claim.events[0].id: EventStatus.DEAD}, "gave up")
    await store.run(steps.settle, claim, dead)
    await store.put([arrival("b1", "ben")])
    await store.run(steps.retry, await claim_one(store), after=60, why="503")
    await store.put([arrival("d1", "dora")])
    await store.run(steps.settle, claim_dora := await claim_one(store), answered(claim_dora))
    await bench.run(changes.pause, "admin", "shop", "dora", DAY)
    await store.put([arrival("a1", "anna"), arrival("c2", "cora", at=START - 2 * DAY)])

    page = await bench.run(conversations.find, "", state, (), 50)

    assert sorted(contacts(page)) == found


async def test_a_timeline_tells_everything_that_happened(bench, store):
    await store.put([arrival("m1")])
    failed = FailedCall("agent", 1, 1200, "retried", "503")
    await store.run(steps.retry, await claim_one(store), after=1, why="503", failed=failed)
    bench.clock.move(2000)
    claim = await claim_one(store)
    step = await store.run(steps.settle, claim, answered(claim, "Hello", "there"))
    refused = FailedCall("send", 1, 80, "transient", "(#2)", 2, 7, "AbC")
    await store.run(steps.retry, step, after=1, why="(#2)", failed=refused)
    bench.clock.move(2000)
    await store.run(steps.sent, await claim_one(store), "mid-1")
    await bench.answer_by_hand(store)
    bench.clock.move(1000)
    await bench.run(changes.resume, "admin", "shop", "anna")

    entries, following = await bench.run(timeline.read, "shop", "anna")

    assert following is None
    told = [(it.source, it.kind, it.status) for it in reversed(entries)]
    assert told == [
        ("event", "message", "answered"),
        ("trail", "agent", "retried"),
        ("piece", "piece", "sent"),
        ("piece", "piece", "dropped"),
        ("trail", "send", "transient"),
        ("trail", "taken_over", "person"),
        ("operation", "conversation.resume", "done"),
    ]
    send = entries[2]
    assert (send.ms, send.code, send.subcode, send.request_id) == (80, 2, 7, "AbC")
    assert [it.text for it in timeline.as_chat(entries)][1:] == ["Hello"]


async def test_a_long_timeline_is_read_page_by_page_without_gap_or_repeat(bench, store):
    for number in range(7):
        claim = await sending(store, "Hello", mid=f"m{number}", turn=f"t{number}")
        await store.run(steps.sent, claim, f"mid-{number}")
        bench.clock.move(1000)
    pages, position = [], timeline.BEGINNING

    while position is not None:
        entries, position = await bench.run(timeline.read, "shop", "anna", position, 4)
        pages += entries

    keys = [(it.source, it.id) for it in pages]
    assert len(keys) == len(set(keys)) == 14
    assert [it.at for it in pages] == sorted((it.at for it in pages), reverse=True)


async def test_a_code_that_no_database_holds_is_left_out(bench, store):
    await store.put([arrival("m1")])
    failed = FailedCall("send", 1, 1, "transient", "x\0y" * 1000, 2**70, None, "a\0b")

    await store.run(steps.retry, await claim_one(store), after=1, why="?", failed=failed)

    [entry] = [it for it in (await bench.run(timeline.read, "shop", "anna"))[0] if it.code is None][
        :1
    ]
    assert entry.source == "trail"


async def test_every_change_is_in_the_operator_log(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    dead = TurnResult("t1", {claim.events[0].id: EventStatus.DEAD}, "gave up: 503")
    await store.run(steps.settle, claim, dead)
    [letter] = await bench.run(changes.find_letters, Filter(), "gave up: 503")

    await bench.run(changes.pause, "admin", "shop", "anna", 1000)
    await bench.run(changes.resume, "command", "shop", "anna")
    unknown = await bench.run(changes.pause, "admin", "shop", "nobody", 1000)
    done = [await bench.run(changes.discard, "admin", letter) for _ in range(2)]

    assert (unknown, done) == (None, [True, False])
    written = await bench.run(log.find, TOP, 10)
    assert [(it.who, it.what, it.contact, it.target) for it in written] == [
        ("admin", "dead_letter.discard", "anna", "t1"),
        ("command", "conversation.resume", "anna", None),
        ("admin", "conversation.pause", "anna", None),
    ]
    assert await bench.run(changes.find_letters, Filter(), None) == []


async def test_trail_and_operator_log_are_forgotten_in_time(bench, store):
    await store.put([arrival("m1"), echo("by-hand", "I am Ann")])
    await bench.run(log.write, "admin", "conversation.pause", "shop", "anna")
    count = "SELECT (SELECT count(*) FROM trail), (SELECT count(*) FROM operations)"
    assert await bench.query(count) == [(1, 1)]

    bench.clock.move(8 * DAY)
    await bench.run(retention.purge, 7 * DAY)
    after_retention = await bench.query(count)
    bench.clock.move(90 * DAY)
    await bench.run(retention.purge, 7 * DAY)

    assert (after_retention, await bench.query(count)) == ([(0, 1)], [(0, 0)])
