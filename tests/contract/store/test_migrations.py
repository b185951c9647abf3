"""Migrating makes what the code expects, and older code knows whether it can work on it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.migrations import STEPS, check, migrate
from ak_instagram.store.migrations.upgrading import upgrade
from ak_instagram.store.postgres.migrating import LOCK
from ak_instagram.store.schema import metadata
from tests.support.next_version import next_steps
from tests.support.store_bench import arrival, piece_of, sending

EVENT = """
INSERT INTO events (account, contact, kind, key, mid, at, received_at, status, turn)
VALUES ('shop', 'anna', 'message', '{turn}:{mid}', '{mid}', 1, 1, 'answered', '{turn}')
"""
PIECE = """
INSERT INTO outbox (account, contact, turn, seq, status, planned_at, changed_at)
VALUES ('shop', 'anna', '{turn}', 0, '{status}', 1, 1)
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
START = """
import asyncio, sys
from ak_instagram.store.postgres.engine import open_postgres
async def start():
    async with open_postgres(sys.argv[1]):
        pass
asyncio.run(start())
"""


@pytest.fixture
def future_steps(tmp_path):
    """Return the steps of a version that is newer than this one; code of *oldest* will do."""

    def future_steps(oldest: str) -> Path:
        return next_steps(tmp_path, last=revisions()[-1], oldest=oldest)

    return future_steps


@pytest.fixture
def postgres_database(postgres_url):
    """One of its own, since its tables change."""
    return postgres_url


@pytest.fixture
def future(bench, future_steps):
    """Let a newer version migrate the store."""

    async def future(oldest: str) -> None:
        steps = future_steps(oldest)
        await bench.database.run(lambda connection, _now: migrate(connection, steps))
        await bench.stack.aclose()

    return future


def revisions() -> list[str]:
    """Return all revisions of this version, oldest first."""
    return [script.revision for script in scripts()]


def scripts() -> list:
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    return list(ScriptDirectory.from_config(config).walk_revisions())[::-1]


async def test_a_new_store_is_what_all_migrations_make(bench):
    made = await bench.database.run(lambda connection, _now: described(connection))

    def start_over(connection, _now):
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        upgrade(connection, STEPS)
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        return differences, described(connection)

    differences, migrated = await bench.database.run(start_over)

    assert differences == []
    assert made == migrated


def described(connection) -> dict[str, object]:
    """All that a database says of its tables and indices, and what they say of the schema."""
    found = inspect(connection)
    tables = sorted(found.get_table_names())
    indices = INDICES[connection.dialect.name]
    return {
        "columns": {
            table: sorted(
                (it["name"], str(it["type"]), it["nullable"], str(it["default"]), "computed" in it)
                for it in found.get_columns(table)
            )
            for table in tables
        },
        "keys": {table: found.get_pk_constraint(table)["constrained_columns"] for table in tables},
        "indices": sorted(" ".join(row[0].split()) for row in connection.execute(text(indices))),
        "revision": connection.execute(text("SELECT version_num FROM alembic_version")).all(),
        "oldest": connection.execute(text("SELECT oldest FROM schema_compatibility")).all(),
    }


INDICES = {
    "sqlite": """
        SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
        UNION ALL SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'
    """,
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


async def test_migrating_again_changes_nothing(bench):
    await bench.store().put([arrival("m1")])

    await bench.stack.aclose()
    await bench.open()

    assert await bench.query("SELECT mid FROM events") == [("m1",)]
    assert await bench.query("SELECT oldest FROM schema_compatibility") == [
        (scripts()[-1].module.oldest,)
    ]


async def test_a_version_works_on_a_newer_schema_that_suits_it(bench, future):
    await future(oldest=revisions()[-1])

    await bench.open()

    store = bench.store()
    assert piece_of(await sending(store, "one")).message == {"text": "one"}
    assert await bench.query("SELECT version_num, mood FROM alembic_version, events") == [
        ("9999", None)
    ]


async def test_a_version_does_not_start_on_a_schema_that_is_too_new(bench, future):
    await future(oldest="9998")

    with pytest.raises(StoreUnavailable, match="start one of revision 9998 or later"):
        await bench.open()


async def test_a_command_of_a_newer_version_leaves_the_store_of_an_older_one_alone(
    bench, future_steps
):
    """A running service of the older version would not know the schema any more."""
    steps = future_steps(revisions()[-1])

    with pytest.raises(StoreUnavailable, match="use the command of the version that runs"):
        await bench.database.run(lambda connection, _now: check(connection, steps))

    assert await bench.query("SELECT version_num FROM alembic_version") == [(revisions()[-1],)]


def test_a_step_s_file_begins_with_its_revision():
    """The service reads the names alone: steps are imported only when one is to be applied."""
    assert [Path(script.path).name.partition("_")[0] for script in scripts()] == revisions()


def test_every_step_says_which_code_can_work_on_its_schema():
    """The code before it, while an update rolls; never code that a step before has locked out."""
    known = revisions()
    oldest = [script.module.oldest for script in scripts()]

    assert known == sorted(known)
    assert oldest == sorted(oldest)
    assert set(oldest) <= set(known)
    assert all(before <= revision for before, revision in zip(oldest, known, strict=True))


async def test_answers_that_wait_for_the_second_step_know_what_they_answer(bench, tmp_path):
    first = Path(shutil.copytree(STEPS, tmp_path / "first"))
    for later in sorted((first / "versions").glob("*.py"))[1:]:
        later.unlink()
    await bench.database.run(lambda connection, _now: begin_anew(connection, first))
    for turn in ("old", "new"):
        for mid in ("m1", "m2"):
            await bench.query_nothing(EVENT.format(turn=turn, mid=mid))
        for status in ("sent", "parked", "dead"):
            await bench.query_nothing(PIECE.format(turn=turn, status=status))

    await bench.stack.aclose()
    await bench.open()

    pieces = await bench.query(
        "SELECT turn, answers FROM outbox WHERE status <> 'sent' ORDER BY id"
    )
    assert [(turn, set(events.split(","))) for turn, events in pieces] == [
        *[("old", {"1", "2"})] * 2,
        *[("new", {"3", "4"})] * 2,
    ]


def begin_anew(connection: Connection, steps: Path) -> None:
    """Have the schema of *steps* instead of the present one."""
    metadata.drop_all(connection)
    connection.exec_driver_sql("DROP TABLE alembic_version")
    migrate(connection, steps)


async def test_replicas_that_start_at_once_migrate_one_after_the_other(postgres_url):
    gate = await asyncpg.connect(postgres_url)
    await gate.execute("SELECT pg_advisory_lock($1)", LOCK)
    replicas = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", START, postgres_url)
        for _ in range(3)
    ]
    while await gate.fetchval(WAITING) < len(replicas):  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)

    await gate.close()

    assert [await replica.wait() for replica in replicas] == [0, 0, 0]
