"""The job that asks the store what waits, for the metrics."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import structlog
from prometheus_client import Gauge

from ak_instagram import metrics
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.backlog import Backlog, measure

log = structlog.get_logger()

EVERY = 15.0  # seconds
ANSWER_WITHIN = 10.0  # seconds that the store may take
CLOCKS_DIFFER = 60.0  # seconds that are worth a line

_FIGURES: tuple[tuple[Gauge, Callable[[Backlog], float]], ...] = (
    (metrics.OLDEST_DUE, lambda it: it.overdue / 1000),
    (metrics.CONVERSATIONS_DUE, lambda it: it.due),
    (metrics.PIECES_PARKED, lambda it: it.parked),
    (metrics.DEAD_LETTERS_KEPT.labels("turn"), lambda it: it.dead_turns),
    (metrics.DEAD_LETTERS_KEPT.labels("answer"), lambda it: it.dead_answers),
    (metrics.NEWEST_EVENT, lambda it: (it.newest or 0) / 1000),
    (metrics.CLOCK_DIFFERENCE, lambda it: (it.clock_ahead or 0) / 1000),
)


async def run_measurements(
    store: Transactions, *, every: float = EVERY, within: float = ANSWER_WITHIN
) -> None:
    """Show what waits in *store*, again and again; never return."""
    is_known, has_told = True, False
    while True:
        try:
            async with asyncio.timeout(within):
                backlog = await store.run(measure)
            _show(backlog)
            has_told = _tell_of_clocks((backlog.clock_ahead or 0) / 1000, has_told=has_told)
            is_known = True
        except Exception as exc:  # the loop outlives whatever it meets
            _show(None)
            if is_known:
                log.exception("backlog.not_read", reason=type(exc).__name__)
            is_known = False
        await asyncio.sleep(every)


def _tell_of_clocks(seconds: float, *, has_told: bool) -> bool:
    """Log, unless that has been told, that Meta's clock is *seconds* ahead; return if it is."""
    if abs(seconds) <= CLOCKS_DIFFER:
        return False
    if not has_told:
        log.warning(
            "clock.differs",
            seconds=round(seconds),
            reason="Meta's clock is so far ahead of the store's, or behind it; set that by NTP",
        )
    return True


def _show(backlog: Backlog | None) -> None:
    """Set the gauges, to NaN if nothing is known: older figures would hide what goes on now."""
    for gauge, figure in _FIGURES:
        gauge.set(math.nan if backlog is None else figure(backlog))
