"""A real store on a real file, with a clock that the test moves."""

from __future__ import annotations

import pytest

from tests.store_bench import Bench


@pytest.fixture
async def bench(tmp_path):
    bench = Bench(f"sqlite:///{tmp_path}/store.db")
    await bench.open()
    async with bench.stack:
        yield bench


@pytest.fixture
def store(bench):
    return bench.store()
