"""The stores under test: what is claimed of one is claimed of the other."""

from __future__ import annotations

import pytest

from harness import postgres
from tests.store_bench import Bench


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


@pytest.fixture
async def postgres_bench(postgres_url):
    bench = Bench(postgres_url)
    async with bench.stack:
        await bench.open()
        yield bench


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request):
    return request.getfixturevalue(f"{request.param}_bench")


@pytest.fixture
def store(bench):
    return bench.store()
