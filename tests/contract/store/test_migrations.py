"""Migrating makes what the code expects."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ak_instagram.store.schema import metadata
from tests.store_bench import arrival


async def test_the_migrations_make_the_schema_of_the_code(bench):
    def differences(connection, _now):
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert await bench.transactions.run(differences) == []


async def test_migrating_again_changes_nothing(bench):
    await bench.store().put([arrival("m1")])

    await bench.stack.aclose()
    await bench.open()

    assert await bench.query("SELECT mid FROM events") == [("m1",)]
