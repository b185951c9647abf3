"""A job outlives what it meets; one that ends while the service runs is seen."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from ak_instagram.jobs import run_logged, running


async def forever() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise ZeroDivisionError


async def test_a_dead_job_is_named_and_logged():
    with capture_logs() as logs:
        async with running(good=forever(), bad=broken()) as jobs:
            await asyncio.wait(jobs.tasks, return_when=asyncio.FIRST_COMPLETED)

            assert jobs.dead() == ["bad"]
    assert [(line["event"], line["job"]) for line in logs] == [("job.died", "bad")]


async def test_leaving_stops_the_jobs():
    async with running(good=forever()) as jobs:
        assert jobs.dead() == []

    assert all(task.cancelled() for task in jobs.tasks)


async def test_a_round_that_fails_is_logged_and_goes_no_further():
    with capture_logs() as logs:
        assert not await run_logged(broken(), failure="job.stumbled")

    assert [(line["event"], line["reason"]) for line in logs] == [
        ("job.stumbled", "ZeroDivisionError")
    ]


async def test_a_round_that_is_done_is_not_told_of():
    with capture_logs() as logs:
        assert await run_logged(asyncio.sleep(0), failure="job.stumbled")

    assert logs == []


async def test_a_round_that_is_cancelled_ends_the_job():
    job = asyncio.create_task(run_logged(forever(), failure="job.stumbled"))
    await asyncio.sleep(0)

    job.cancel()

    with pytest.raises(asyncio.CancelledError):
        await job
