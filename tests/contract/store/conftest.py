"""The stores under test: what is claimed of one is claimed of the other."""

from __future__ import annotations

import pytest

from ak_instagram.store.schema import compatibility, metadata
from qa.support import postgres
from tests.support.store_bench import Bench

ROWS = ", ".join(table.name for table in metadata.sorted_tables if table is not compatibility)
EMPTY = f"TRUNCATE {ROWS} RESTART IDENTITY"


@pytest.fixture(scope="session")
def postgres_server():
    server = postgres.launch()
    yield server
    postgres.discard(server)


@pytest.fixture
def postgres_url(postgres_server):
    url = postgres_server.database()
    yield url
    postgres_server.drop(url)


@pytest.fixture
async def sqlite_bench(tmp_path):
    bench = Bench(f"sqlite:///{tmp_path}/store.db")
    async with bench.stack:
        await bench.open()
        yield bench


@pytest.fixture(scope="session")
def postgres_database(postgres_server):
    """The URL of the database that most tests use: to make one takes longer than they do."""
    return postgres_server.database()


@pytest.fixture
async def postgres_bench(postgres_database):
    bench = Bench(postgres_database)
    async with bench.stack:
        await bench.open()
        await bench.query_nothing(EMPTY)
        yield bench


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request):
    return request.getfixturevalue(f"{request.param}_bench")


@pytest.fixture
def store(bench):
    return bench.store()
