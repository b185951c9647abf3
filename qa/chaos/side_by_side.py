"""The campaigns of a seed at the same time, each in a process of its own: they mostly wait."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import uvloop

from qa.chaos.campaign import Effort, Outcome, run
from qa.chaos.report import evidence


def run_all(stores: Sequence[str], seed: int, effort: Effort, folder: Path) -> list[Outcome]:
    """Return what came of a campaign on each of *stores*; stderr tells how far they are."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(stores), context) as pool:
        running = [pool.submit(_run, store, seed, effort, folder) for store in stores]
        return [campaign.result() for campaign in running]


def _run(store: str, seed: int, effort: Effort, folder: Path) -> Outcome:
    place = folder / f"{store}-{seed}"
    place.mkdir(parents=True)
    tell = _teller(f"seed {seed} on {store}")
    outcome = uvloop.run(run(store, seed, effort, place, tell))
    tell("over" if outcome.kept else "over, and a promise was broken")
    for line in evidence(outcome):
        tell(line)
    return outcome


def _teller(whose: str) -> Callable[[str], None]:
    """Return what tells a line of *whose* campaign, with the seconds since now."""
    began = time.monotonic()

    def tell(line: str) -> None:
        age = time.monotonic() - began
        print(f"{age:4.0f} s, {whose}: {line}", file=sys.stderr, flush=True)

    return tell
