"""`python -m qa.benchmarks`: measure what is promised, print it, exit 1 if a promise is broken."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

from qa.benchmarks import against, machine
from qa.benchmarks.bench import QUICK, Bench, Effort, open_bench
from qa.benchmarks.figures import (
    ack,
    adapters,
    crowd,
    depth,
    idle,
    open_loop,
    quiet,
    recovery,
    start,
    stores,
    streams,
    turns,
    waiting,
)
from qa.benchmarks.report import Figure, table

FIGURES: Mapping[str, Callable[[Bench], list[Figure]]] = {
    "start": start.measure,
    "idle": idle.measure,
    "ack": ack.measure,
    "open": open_loop.measure,
    "turns": turns.measure,
    "depth": depth.measure,
    "stores": stores.measure,
    "waiting": waiting.measure,
    "streams": streams.measure,
    "adapters": adapters.measure,
    "crowd": crowd.measure,
    "quiet": quiet.measure,
    "recovery": recovery.measure,
}


def main() -> int:
    """Return 0 if all targets were met."""
    options = _options()
    print(machine.describe())
    if options.against is not None:
        return _against(options.against, options.only)
    figures: list[Figure] = []
    with open_bench(QUICK if options.quick else Effort()) as bench:
        if "crowd" in options.only:
            crowd.check(bench.effort)  # now, and not after the others
        for name in options.only:
            figures += FIGURES[name](bench)
            bench.tidy()
    print(table(figures))
    return 1 if any(figure.is_missed for figure in figures) else 0


def _against(revision: str, names: Sequence[str]) -> int:
    """Print this tree's figures beside those of *revision*; nothing has a target here."""
    measures = [FIGURES[name] for name in names if name in against.COMPARABLE]
    with against.checked_out(revision) as source, open_bench(against.ONE_TURN) as bench:
        print(against.table(against.measure(bench, source, measures), revision))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m qa.benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES), metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="one short round: is it in order?")
    parser.add_argument(
        "--against", metavar="REV", help="measure another revision in turn, and print both"
    )
    return parser.parse_args()


# Processes are spawned: each imports this module and must not run it.
if __name__ == "__main__":
    raise SystemExit(main())
