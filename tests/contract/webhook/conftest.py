"""The webhook over real HTTP, on a real store: one for all tests of a module, emptied for each."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.store_bench import Bench
from tests.support.webhook_bench import SECRETS, Webhook, open_webhook

DATA = Path(__file__).parents[2] / "data/webhooks"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bench(tmp_path_factory):
    bench = Bench(f"sqlite:///{tmp_path_factory.mktemp('webhook')}/store.db")
    await bench.open(busy_timeout=0.05)
    async with bench.stack:
        yield bench


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_webhook(bench: Bench):
    async with open_webhook(bench, SECRETS) as webhook:
        yield webhook


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_open_door(bench: Bench):
    async with open_webhook(bench, ()) as webhook:
        yield webhook


@pytest_asyncio.fixture(loop_scope="module")
async def webhook(running_webhook: Webhook):
    """The webhook with two secrets, on an empty store."""
    await running_webhook.empty()
    return running_webhook


@pytest_asyncio.fixture(loop_scope="module")
async def open_door(running_open_door: Webhook):
    """The webhook without a secret, on an empty store."""
    await running_open_door.empty()
    return running_open_door


@pytest.fixture
def webhook_payload():
    """Read one of Meta's recorded payloads."""
    return lambda name: (DATA / f"{name}.json").read_bytes()
