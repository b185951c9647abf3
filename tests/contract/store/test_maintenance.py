"""Commands work on a store that the service has made, and change nothing about it."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, text

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.maintenance import open_for_maintenance
from ak_instagram.store.postgres.engine import open_pool
from ak_instagram.store.values import Silencer
from ak_instagram.store.verbs import takeover
from tests.support.store_bench import START, arrival, claim_one


@pytest.fixture
def postgres_database(postgres_url):
    """One of its own, since its tables change."""
    return postgres_url


async def maintained(url: str, verb, *arguments: object):
    async with open_for_maintenance(url) as session:
        return await session.run(verb, *arguments)


def nothing(_tx) -> None:
    """The verb that is not even run where there is no store."""


async def test_a_sessions_changes_are_there_for_the_service(bench, store):
    await store.put([arrival("m1")])
    claim = await claim_one(store)

    await maintained(
        bench.url, takeover.pause, claim.account, claim.contact, START, Silencer.COMMAND
    )

    assert await bench.query("SELECT paused_until FROM conversations") == [(START,)]


async def test_a_store_that_is_too_new_is_not_worked_on(bench, store):
    await store.put([arrival("m1")])
    await bench.query_nothing("UPDATE alembic_version SET version_num = '9999'")
    await bench.query_nothing("UPDATE schema_compatibility SET oldest = '9999'")

    with pytest.raises(StoreUnavailable, match="a newer version has migrated the store"):
        await maintained(bench.url, lambda tx: tx.connection.execute(text("DELETE FROM events")))

    assert await bench.query("SELECT count(*) FROM events") == [(1,)]


async def test_in_a_database_without_a_store_nothing_is_made(postgres_url):
    with pytest.raises(StoreUnavailable, match="there is no store here"):
        await maintained(postgres_url, nothing)

    async with open_pool(postgres_url) as pool:
        assert await pool.run(lambda it, _now: inspect(it).get_table_names()) == []


async def test_in_a_file_without_a_store_nothing_is_made(tmp_path):
    file = tmp_path / "empty.db"
    file.touch()

    with pytest.raises(StoreUnavailable, match="there is no store here"):
        await maintained(f"sqlite:///{file}", nothing)


async def test_where_no_file_is_none_is_made(tmp_path):
    file = tmp_path / "none.db"

    with pytest.raises(StoreUnavailable, match="there is no store at"):
        await maintained(f"sqlite:///{file}", nothing)

    assert not file.exists()
