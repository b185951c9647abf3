"""The job that sweeps goes on, whatever happens to one account, and begins in its time."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from ak_instagram.delivery.accounts import IdentifiedAccount
from ak_instagram.errors import StoreUnavailable
from ak_instagram.maintenance.sweep import Swept, run_sweeps
from ak_instagram.meta.graph.client import Profile
from ak_instagram.settings.model import Account
from tests.support.store_bench import stop

KNOWN = tuple(IdentifiedAccount(Account(f"IGAA{name}"), Profile(name, name)) for name in ("1", "2"))


class Sweeper:
    """Notes whom it sweeps; the first account always fails."""

    def __init__(self, enough: int = 4) -> None:
        self.swept: list[str] = []
        self.done = asyncio.Event()
        self._enough = enough

    async def sweep(self, known: IdentifiedAccount) -> Swept | None:
        self.swept.append(known.profile.user_id)
        if len(self.swept) >= self._enough:
            self.done.set()
        if known is KNOWN[0]:
            raise StoreUnavailable("away")
        return None


async def test_one_accounts_trouble_is_nobody_elses_and_the_next_round_comes():
    sweeper = Sweeper()
    with capture_logs() as logs:
        job = asyncio.create_task(run_sweeps(sweeper, lambda: KNOWN, 0.001))
        async with asyncio.timeout(5):
            await sweeper.done.wait()
        await stop(job)

    assert sweeper.swept[:4] == ["1", "2", "1", "2"]
    assert {line["event"] for line in logs} == {"sweep.broken_off"}


@pytest.mark.parametrize(
    ("every", "first_after"),
    [pytest.param(0, 0, id="never"), pytest.param(600, 600, id="not-yet")],
)
async def test_nothing_is_looked_for_before_its_time(every, first_after):
    sweeper = Sweeper()
    job = asyncio.create_task(run_sweeps(sweeper, lambda: KNOWN, every, first_after=first_after))
    await asyncio.wait([job], timeout=0.05)
    await stop(job)

    assert sweeper.swept == []
