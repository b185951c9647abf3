"""Accounts in the store: a token's age, its refresh by one replica, connecting and leaving."""

from __future__ import annotations

import asyncio

import pytest

from ak_instagram.store.verbs.accounts import rows as accounts
from ak_instagram.store.verbs.accounts.rows import YOUNGEST, AccountBacklog, NewToken
from tests.support.store_bench import DAY, START

LEASE = 60_000
NEW = NewToken("sealed", START + DAY, START + 61 * DAY, START + 31 * DAY)


@pytest.fixture
async def seen(store):
    """The store, in which the shop was seen with its first token."""
    await store.run(accounts.see, "shop", "marigold", "first", expires=True)
    return store


async def test_the_first_sight_is_kept_and_the_next_ones_change_nothing(bench, seen):
    bench.clock.move(DAY // 2)

    again = await seen.run(accounts.see, "shop", "marigold", "first", expires=True)

    assert (again.first_seen_at, again.refresh_at) == (START, START + YOUNGEST)
    assert (again.origin, again.sealed, again.expires_at) == ("first", None, None)


async def test_a_token_that_never_expires_is_never_due(bench, store):
    await store.run(accounts.see, "shop", "marigold", "first", expires=False)
    bench.clock.move(365 * DAY)

    assert await store.run(accounts.lease_due, LEASE) == ()


async def test_another_token_in_the_settings_begins_anew(bench, seen):
    await seen.run(accounts.keep, "shop", NEW)
    bench.clock.move(DAY)

    row = await seen.run(accounts.see, "shop", "marigold", "second", expires=True)

    assert (row.origin, row.sealed, row.first_seen_at) == ("second", None, START + DAY)
    assert (row.expires_at, row.error, row.failures) == (None, None, 0)


async def test_one_of_several_replicas_refreshes(bench, seen):
    bench.clock.move(DAY)
    replicas = [bench.store(name) for name in ("one", "two", "three")]

    got = await asyncio.gather(*(it.run(accounts.lease_due, LEASE) for it in replicas))

    assert sorted(len(rows) for rows in got) == [0, 0, 1]


async def test_a_lease_that_nobody_ended_is_taken_over(bench, seen):
    bench.clock.move(DAY)
    await seen.run(accounts.lease_due, LEASE)
    assert await seen.run(accounts.lease, "shop", LEASE) is None

    bench.clock.move(LEASE)

    assert [row.account for row in await seen.run(accounts.lease_due, LEASE)] == ["shop"]


async def test_a_new_token_is_kept_until_it_is_half_over(bench, seen):
    bench.clock.move(DAY)
    await seen.run(accounts.lease_due, LEASE)

    await seen.run(accounts.keep, "shop", NEW)

    row = await seen.run(accounts.find, "shop")
    assert (row.sealed, row.issued_at, row.expires_at) == (
        NEW.sealed,
        NEW.issued_at,
        NEW.expires_at,
    )
    bench.clock.move(30 * DAY - 1)
    assert await seen.run(accounts.lease_due, LEASE) == ()
    bench.clock.move(1)
    assert len(await seen.run(accounts.lease_due, LEASE)) == 1


async def test_a_failure_keeps_the_token_and_says_when_to_try_again(bench, seen):
    await seen.run(accounts.keep, "shop", NEW)
    await seen.run(accounts.lease, "shop", LEASE)

    for _ in range(2):
        await seen.run(accounts.note_failure, "shop", "Meta did not answer", START + 500)

    row = await seen.run(accounts.find, "shop")
    assert (row.sealed, row.failures, row.error) == ("sealed", 2, "Meta did not answer")
    bench.clock.move(499)
    assert await seen.run(accounts.lease_due, LEASE) == ()
    bench.clock.move(1)
    assert len(await seen.run(accounts.lease_due, LEASE)) == 1


async def test_a_token_is_encrypted_anew_unless_it_has_changed_meanwhile(seen):
    await seen.run(accounts.keep, "shop", NEW)

    assert await seen.run(accounts.reseal, "shop", "sealed", "sealed anew")
    assert not await seen.run(accounts.reseal, "shop", "sealed", "too late")
    assert (await seen.run(accounts.find, "shop")).sealed == "sealed anew"


async def test_a_connected_account_leaves_and_comes_back(bench, store):
    await store.run(accounts.connect, "cafe", "cafe.bar", NEW)
    assert (await store.run(accounts.find, "cafe")).is_connected

    assert await store.run(accounts.disconnect, "cafe")
    assert not await store.run(accounts.disconnect, "cafe"), "it has left already"
    gone = await store.run(accounts.find, "cafe")
    assert (gone.is_connected, gone.sealed, gone.refresh_at) == (False, None, None)

    bench.clock.move(DAY)
    await store.run(accounts.connect, "cafe", "cafe.bar", NEW)
    [row] = await store.run(accounts.load)
    assert (row.is_connected, row.sealed, row.first_seen_at) == (True, "sealed", START)


async def test_a_token_that_was_asked_for_before_is_not_kept_after_a_farewell(store):
    await store.run(accounts.connect, "cafe", "cafe.bar", NEW)
    await store.run(accounts.lease, "cafe", LEASE)
    await store.run(accounts.disconnect, "cafe")

    assert not await store.run(accounts.keep, "cafe", NEW)

    assert (await store.run(accounts.find, "cafe")).sealed is None


async def test_nobody_who_is_unknown_is_disconnected(store):
    assert not await store.run(accounts.disconnect, "nobody")


async def test_what_waits_is_counted_for_each_account(bench, store):
    await bench.query_nothing(
        "INSERT INTO conversations (account, contact, due_at, waits_for) VALUES"
        " ('shop', 'a', 1, 'account'), ('shop', 'b', 1, NULL), ('cafe', 'c', NULL, NULL)"
    )
    await bench.query_nothing(
        "INSERT INTO outbox (account, contact, turn, seq, status, planned_at, changed_at)"
        " VALUES ('cafe', 'c', 't', 0, 'parked', 1, 1)"
    )
    await bench.query_nothing(
        "INSERT INTO events (account, contact, kind, key, at, received_at, status, turn) VALUES"
        " ('shop', 'a', 'message', 'k1', 1, 1, 'dead', 't1'),"
        " ('shop', 'a', 'message', 'k2', 1, 1, 'dead', 't1')"
    )

    assert await store.run(accounts.backlogs) == {
        "shop": AccountBacklog(waiting=2, stopped=1, dead=1),
        "cafe": AccountBacklog(parked=1),
    }
