"""`python -m qa.benchmarks.load`: a fixed rate of messages; exit 1 if one is unanswered."""

from __future__ import annotations

import argparse

from qa.benchmarks import machine
from qa.benchmarks.load.histogram import histogram
from qa.benchmarks.load.stream import run

RATE, SECONDS = 100.0, 20.0


def main() -> int:
    """Return 0 if every message was answered exactly once."""
    options = _options()
    print(machine.describe())
    outcome = run(options.rate, options.seconds)
    print(f"{outcome.messages:,} messages, {options.rate:g} a second, each from another person")
    print(histogram("webhook to 200", outcome.to_200))
    if outcome.to_piece:
        print(histogram("webhook to first piece", outcome.to_piece))
    print(
        f"refused {outcome.refused}, unanswered {outcome.unanswered},"
        f" answered twice {outcome.answered_twice}"
    )
    return 0 if outcome.is_right else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m qa.benchmarks.load", description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE, help="messages a second (%(default)g)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="(%(default)g)")
    return parser.parse_args()


# Processes are spawned: each imports this module and must not run it.
if __name__ == "__main__":
    raise SystemExit(main())
