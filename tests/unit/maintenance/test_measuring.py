"""What waits is shown as the store tells it, and as unknown while it does not."""

from __future__ import annotations

import asyncio
import math
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from ak_instagram.errors import StoreUnavailable
from ak_instagram.maintenance.backlog_metrics import run_measurements
from ak_instagram.store.verbs.backlog import Backlog, measure
from tests.support.fakes import ScriptedStore
from tests.support.store_bench import stop

WAITING = Backlog(
    due=3,
    overdue=4_500,
    parked=2,
    dead_turns=1,
    dead_answers=6,
    newest=1_800_000_000_500,
    clock_ahead=-1_500,
)
NOTHING = Backlog(due=0, overdue=0, parked=0, dead_turns=0, dead_answers=0, newest=None)


async def measured(*outcomes: Backlog | Exception) -> list[MutableMapping[str, Any]]:
    """Have *outcomes* shown; return what was logged."""
    store = ScriptedStore(measure, *outcomes)
    with capture_logs() as logs:
        job = asyncio.create_task(run_measurements(store, every=0))
        async with asyncio.timeout(5):
            await store.done.wait()
        await stop(job)
    return logs


def shown() -> dict[str, float]:
    names = (
        "oldest_due_seconds",
        "conversations_due",
        "pieces_parked",
        "newest_event_timestamp_seconds",
        "clock_difference_seconds",
    )
    kept = {what: gauge("dead_letters_kept", what=what) for what in ("turn", "answer")}
    return {name: gauge(name) for name in names} | kept


def gauge(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(f"ak_instagram_{name}", labels)
    assert value is not None
    return value


async def test_what_waits_is_shown_in_seconds():
    await measured(WAITING)

    assert shown() == {
        "oldest_due_seconds": 4.5,
        "conversations_due": 3,
        "pieces_parked": 2,
        "newest_event_timestamp_seconds": 1_800_000_000.5,
        "clock_difference_seconds": -1.5,
        "turn": 1,
        "answer": 6,
    }


async def test_an_empty_store_shows_zeros():
    await measured(WAITING, NOTHING)

    assert set(shown().values()) == {0}


async def test_a_store_that_refuses_makes_everything_unknown():
    await measured(WAITING, StoreUnavailable("gone"))

    assert all(math.isnan(value) for value in shown().values())


async def test_a_store_that_hangs_makes_everything_unknown():
    store = ScriptedStore(measure, WAITING)
    with capture_logs() as logs:
        job = asyncio.create_task(run_measurements(store, every=0, within=0.01))
        async with asyncio.timeout(5):
            while not logs:  # noqa: ASYNC110 - a log line sets no event
                await asyncio.sleep(0.001)
        await stop(job)

    assert all(math.isnan(value) for value in shown().values())
    assert logs[0]["reason"] == "TimeoutError"


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), ZeroDivisionError()], ids=repr)
async def test_a_silence_is_logged_once_and_the_next_one_again(error):
    logs = await measured(error, error, WAITING, error, error)

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("backlog.not_read", "error")
    ] * 2
    assert logs[0]["reason"] == type(error).__name__


async def test_clocks_that_differ_are_told_once_and_again_after_they_agreed():
    slow, fast = replace(WAITING, clock_ahead=600_400), replace(WAITING, clock_ahead=-90_000)

    logs = await measured(slow, slow, WAITING, fast)

    assert [(line["event"], line["seconds"]) for line in logs] == [
        ("clock.differs", 600),
        ("clock.differs", -90),
    ]


async def test_the_figures_come_back_with_the_store():
    await measured(StoreUnavailable("gone"), WAITING)

    assert shown()["conversations_due"] == 3
