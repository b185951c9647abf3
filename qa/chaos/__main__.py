"""`python -m qa.chaos`: run campaigns, print what they came to, exit 1 if a promise was broken."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from qa.chaos.campaign import Effort
from qa.chaos.report import table
from qa.chaos.side_by_side import run_all
from qa.chaos.stores import NAMES


def main() -> int:
    """Return 0 if nothing was lost, doubled or overtaken."""
    options = _options()
    stores = NAMES if options.store == "both" else (options.store,)
    effort = Effort(options.messages, options.people, options.seconds, options.limit)
    seeds = range(options.seed, options.seed + options.seeds)
    with tempfile.TemporaryDirectory(prefix="ak-instagram-chaos-") as temporary:
        folder = options.logs or Path(temporary)
        outcomes = [each for seed in seeds for each in run_all(stores, seed, effort, folder)]
    print(table(outcomes))
    return 0 if all(outcome.kept for outcome in outcomes) else 1


def _options() -> argparse.Namespace:
    usual = Effort()
    parser = argparse.ArgumentParser(prog="python -m qa.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="whose chance it is (%(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, one after another")
    parser.add_argument("--store", choices=(*NAMES, "both"), default="both")
    parser.add_argument("--messages", type=int, default=usual.messages)
    parser.add_argument("--people", type=int, default=usual.people)
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of trouble")
    parser.add_argument(
        "--limit", type=float, default=usual.limit, help="seconds for a seed, its end not counted"
    )
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep logs and stores there")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
