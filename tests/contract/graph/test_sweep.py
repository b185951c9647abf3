"""The sweep before the simulator: bounded, resumed, and stopped by whatever Meta refuses."""

from __future__ import annotations

import aiohttp
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from structlog.testing import capture_logs

from ak_instagram.delivery.accounts import IdentifiedAccount
from ak_instagram.maintenance.sweep import Sweeper
from ak_instagram.meta.graph.account_calls import AccountCalls
from ak_instagram.meta.graph.client import GraphClient
from ak_instagram.settings.model import Account
from ak_instagram.store.database import WorkerIdentity
from ak_instagram.store.store import open_store
from ak_instagram.store.verbs import sweeps
from instagram_simulator import Fault, FaultKind, Simulator

CALLS_A_ROUND = 60


class World:
    """A simulator, a store and a sweeper between them; *waits* are its pauses."""

    def __init__(self, meta: Simulator, store, calls: AccountCalls, known) -> None:
        self.meta = meta
        self.store = store
        self.known = known
        self.waits: list[float] = []
        self.sweeper = Sweeper(store, calls, 600, settled_after=0, sleep=self.note)

    async def note(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def sweep(self):
        return await self.sweeper.sweep(self.known, in_turn=False)

    async def wrote(self) -> list[str]:
        """Return who wrote what has been stored, in order."""
        query = text("SELECT contact FROM events ORDER BY id")
        return await self.store.run(lambda tx: list(tx.connection.execute(query).scalars()))

    def listings(self) -> int:
        """Return how many pages of conversations were asked for."""
        entries = [each.data for each in self.meta.journal.known() if each.kind == "graph"]
        return sum(each["path"].endswith("/conversations") for each in entries)


@pytest.fixture
async def world(tmp_path):
    """A service that has been up for a minute."""
    store_url = f"sqlite:///{tmp_path}/store.db"
    async with (
        Simulator() as meta,
        aiohttp.ClientSession() as session,
        open_store(store_url, WorkerIdentity("one", 30_000)) as store,
    ):
        calls = AccountCalls(GraphClient(session, meta.url, "v26.0"))
        profile = (await calls.facts(meta.account.access_token)).profile
        known = IdentifiedAccount(Account(meta.account.access_token), profile)
        await store.run(sweeps.begin, profile.user_id, 0)
        earlier = text("UPDATE sweeps SET first_seen = first_seen - 60000")
        await store.run(lambda tx: tx.connection.execute(earlier))
        yield World(meta, store, calls, known)


def people_who_write(meta: Simulator, number: int) -> list[str]:
    people = [meta.world.add_person(f"Person {n}").igsid for n in range(number)]
    for igsid in people:
        meta.phones.say(igsid, "Hello?")
    return people


async def test_ten_thousand_conversations_are_looked_through_a_bounded_part_at_a_time(world):
    people = people_who_write(world.meta, 10_000)

    first, second = await world.sweep(), await world.sweep()

    for swept in (first, second):
        assert (swept.found, swept.pages, swept.is_done) == (1200, CALLS_A_ROUND, False)
    assert world.waits == [1.0] * (2 * (CALLS_A_ROUND - 1))
    assert len(set(await world.wrote())) == 2400
    assert set(await world.wrote()) <= set(people)


async def test_the_next_round_looks_only_at_what_changed(world):
    people_who_write(world.meta, 50)
    await world.sweep()
    before = world.listings()

    again = await world.sweep()

    assert (again.found, again.is_done) == (0, True)
    assert world.listings() - before == 3  # the rounds overlap by a minute


async def test_a_lost_subscription_is_restored_and_told(world):
    world.meta.set_fields(account=[])
    restored = REGISTRY.get_sample_value("ak_instagram_subscriptions_restored_total") or 0

    with capture_logs() as logs:
        swept = await world.sweep()

    assert swept.restored
    assert set(world.meta.dispatch.subscribed.values()) == {("messages", "messaging_postbacks")}
    assert [line["event"] for line in logs] == ["subscription.restored"]
    assert REGISTRY.get_sample_value("ak_instagram_subscriptions_restored_total") == restored + 1


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param(FaultKind.TOKEN_EXPIRED, "the token has expired", id="dead-token"),
        pytest.param(FaultKind.RATE_LIMITED, "limit", id="limit"),
        pytest.param(FaultKind.DROPPED, "no answer", id="no-answer"),
        pytest.param(FaultKind.SERVER_ERROR, "no answer of the API", id="html"),
    ],
)
async def test_what_meta_refuses_ends_the_round_and_the_next_one_finds_it_all(world, kind, reason):
    people = people_who_write(world.meta, 3)
    world.meta.fail(Fault(kind, on="read"))
    with capture_logs() as logs:
        failed = await world.sweep()
    world.meta.heal()

    found = await world.sweep()

    assert (failed.found, failed.is_done) == (0, False)
    assert [line["event"] for line in logs] == ["sweep.failed"]
    assert reason in logs[0]["reason"]
    assert found.found == 3
    assert sorted(await world.wrote()) == sorted(people)


async def test_a_page_that_is_gone_starts_the_round_anew(world):
    people_who_write(world.meta, 3)
    account = world.known.profile.user_id
    progress = await world.store.run(sweeps.begin, account, 0, in_turn=False)
    lost = sweeps.Progress(progress.first_seen, round_began=progress.first_seen, cursor="gone")
    await world.store.run(sweeps.save, account, lost, 0)

    refused, anew = await world.sweep(), await world.sweep()

    assert (refused.found, refused.error.code) == (0, 100)
    assert anew.found == 3
