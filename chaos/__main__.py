"""`python -m chaos`: run campaigns, print what they came to, exit 1 if a promise was broken."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import uvloop

from .campaign import Effort, Outcome, run
from .report import evidence, table
from .stores import NAMES


def main() -> int:
    """Return 0 if nothing was lost, doubled or overtaken."""
    options = _options()
    stores = NAMES if options.store == "both" else (options.store,)
    effort = Effort(options.messages, options.people, options.seconds)
    seeds = range(options.seed, options.seed + options.seeds)
    with tempfile.TemporaryDirectory(prefix="ak-instagram-chaos-") as temporary:
        folder = options.logs or Path(temporary)
        outcomes = [_campaign(store, seed, effort, folder) for seed in seeds for store in stores]
    print(table(outcomes))
    return 1 if any(outcome.violations or outcome.left for outcome in outcomes) else 0


def _campaign(store: str, seed: int, effort: Effort, folder: Path) -> Outcome:
    print(f"seed {seed} on {store} ...", file=sys.stderr, flush=True)
    place = folder / f"{store}-{seed}"
    place.mkdir(parents=True)
    outcome = uvloop.run(run(store, seed, effort, place))
    for line in evidence(outcome):
        print(line, file=sys.stderr, flush=True)
    return outcome


def _options() -> argparse.Namespace:
    usual = Effort()
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="whose chance it is (%(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, one after another")
    parser.add_argument("--store", choices=(*NAMES, "both"), default="both")
    parser.add_argument("--messages", type=int, default=usual.messages)
    parser.add_argument("--people", type=int, default=usual.people)
    parser.add_argument(
        "--seconds", type=float, default=usual.seconds, help="of trouble, on each store"
    )
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep logs and stores there")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
