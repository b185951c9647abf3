"""A job that ends while the service runs is seen."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from ak_instagram.jobs import running


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
