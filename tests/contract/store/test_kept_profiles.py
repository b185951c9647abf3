"""A profile is kept for whoever has a conversation, and goes with retention."""

from __future__ import annotations

from ak_instagram.store.verbs.people import profiles
from ak_instagram.store.verbs.people.profiles import KeptProfile
from ak_instagram.store.verbs.retention import purge
from tests.support.store_bench import DAY, arrival


async def test_what_meta_told_is_kept_with_its_age_until_it_tells_anew(bench, store):
    await store.put([arrival("m1")])
    before = await bench.run(profiles.find, "shop", "anna")
    await bench.run(profiles.keep, "shop", "anna", '{"name": "Anna"}')
    bench.clock.move(5)
    kept = await bench.run(profiles.find, "shop", "anna")
    await bench.run(profiles.keep, "shop", "anna", None)

    assert before is None
    assert kept == KeptProfile('{"name": "Anna"}', 5)
    assert await bench.run(profiles.find, "shop", "anna") == KeptProfile(None, 0)


async def test_of_somebody_who_was_erased_meanwhile_nothing_is_kept(bench):
    await bench.run(profiles.keep, "shop", "anna", '{"name": "Anna"}')

    assert await bench.run(profiles.find, "shop", "anna") is None


async def test_a_profile_goes_with_retention(bench, store):
    await store.put([arrival("m1")])
    await bench.run(profiles.keep, "shop", "anna", '{"name": "Anna"}')
    bench.clock.move(7 * DAY)
    early = await bench.run(purge, 7 * DAY)
    bench.clock.move(1)
    late = await bench.run(purge, 7 * DAY)

    assert (early.profiles, late.profiles) == (0, 1)
