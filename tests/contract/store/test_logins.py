"""A link connects one account within its hour, and each login begun with it comes back once."""

from __future__ import annotations

import asyncio

import pytest

from ak_instagram.store.verbs.accounts import logins

HOUR, MINUTE = 3_600_000, 60_000


@pytest.fixture
async def linked(store):
    """The store with a link, and a login that was begun with it."""
    await store.run(logins.add_link, "link", HOUR)
    assert await store.run(logins.begin, "link", "login", 10 * MINUTE)
    return store


async def test_a_login_comes_back_once(linked):
    assert [await linked.run(logins.spend, "login") for _ in range(2)] == ["link", None]


async def test_of_two_that_come_back_at_once_one_is_taken(bench, linked):
    stores = bench.store("one"), bench.store("two")

    links = await asyncio.gather(*(each.run(logins.spend, "login") for each in stores))

    assert sorted(map(str, links)) == ["None", "link"]


@pytest.mark.parametrize(
    ("after", "spent"),
    [
        pytest.param(10 * MINUTE - 1, "link", id="in-time"),
        pytest.param(10 * MINUTE, None, id="late"),
    ],
)
async def test_a_login_lasts_for_ten_minutes(bench, linked, after, spent):
    bench.clock.move(after)

    assert await linked.run(logins.spend, "login") == spent


async def test_a_link_begins_any_number_of_logins_until_one_has_used_it(linked):
    assert await linked.run(logins.begin, "link", "second", MINUTE)
    assert await linked.run(logins.spend, "login") == "link"

    assert [await linked.run(logins.use_link, "link") for _ in range(2)] == [True, False]

    assert await linked.run(logins.spend, "second") is None
    assert not await linked.run(logins.begin, "link", "third", MINUTE)


async def test_a_link_ends_with_its_hour(bench, linked):
    bench.clock.move(HOUR)

    assert not await linked.run(logins.begin, "link", "late", MINUTE)
    assert not await linked.run(logins.use_link, "link")
    await linked.run(logins.add_link, "another", HOUR)
    assert await bench.query("SELECT digest FROM logins") == [("another",)]


async def test_a_login_is_no_link_and_a_link_no_login(linked):
    assert not await linked.run(logins.begin, "login", "third", MINUTE)
    assert await linked.run(logins.spend, "link") is None
