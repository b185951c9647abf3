"""`python -m qa.image`: run an image as production would, exit 1 if a claim does not hold."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from qa.image.claims import Claim, of_image, of_service, of_start
from qa.image.docker import Docker
from qa.image.report import layers, table
from qa.image.stage import Stage, open_stage
from qa.image.verdict import Failed, Verdict, judge

_LOCK = Path(__file__).parents[2] / "requirements.lock"
_LAST_LINES = 20  # of the service's log, shown if something is wrong


def main() -> int:
    """Return 0 if every claim holds, 1 if one does not, 2 if there is nothing to check."""
    options = _options()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, _: sys.exit(128 + number))  # raises, so it cleans up
    try:
        return _check(Docker.on_path(), options)
    except Failed as exc:
        print(exc, file=sys.stderr)
        return 2


def _check(docker: Docker, options: argparse.Namespace) -> int:
    image: str = options.image
    is_right = _all_hold(of_image(docker, image, options.revision))
    try:
        with open_stage(docker, image, options.simulator) as stage:
            is_right = _plays_well(stage) and is_right
    except Failed as exc:
        print(Verdict("runs as in production", False, str(exc)))
        is_right = False
    print(table(layers(docker, image), docker.inspect("image", image)["Size"]))
    return 0 if is_right else 1


def _plays_well(stage: Stage) -> bool:
    """Return whether all claims of a running service hold; if not, show what it said last."""
    lock = _LOCK.read_text(encoding="utf-8")
    is_right = _all_hold(of_start(stage)) and _all_hold(of_service(stage, lock))
    if not is_right:
        print("the service's last lines:", *stage.service.lines()[-_LAST_LINES:], sep="\n  ")
    return is_right


def _all_hold(claims: Iterable[Claim]) -> bool:
    """Print a line for each of *claims*; return whether all of them hold."""
    hold = True
    for claim, check in claims:
        verdict = judge(claim, check)
        print(verdict, flush=True)
        hold = hold and verdict.holds
    return hold


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m qa.image", description=__doc__)
    parser.add_argument("image", nargs="?", default="ak-instagram:dev", help="(%(default)s)")
    parser.add_argument(
        "--simulator",
        default="ak-instagram-simulator:dev",
        help="the simulator's image, which plays Meta (%(default)s)",
    )
    parser.add_argument("--revision", help="what the image's label has to say it was built from")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
