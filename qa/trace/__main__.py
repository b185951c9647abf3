"""`python -m qa.trace`: play one message through the real service and print its way."""

from __future__ import annotations

import argparse
import os
import sys

from .counts import changes
from .recording import Call, Recorder
from .report import borders, section, summary, tree
from .service import PACKAGE, SIMULATOR, Meta, play

_WARM, _RECORDED = 2, 8  # messages


def main() -> None:
    """Print what was asked for."""
    options = _options()
    _fix_hashes()
    calls = record(echoes=options.echo)
    if options.markdown:
        print(section(calls))
    elif options.full:
        print(tree(calls), "", summary(calls), sep="\n")
    else:
        print(section(calls), "", borders(calls), sep="\n")


def record(*, echoes: bool = False) -> list[Call]:
    """Return the calls of one message; *echoes* adds those that Meta's echo makes."""
    recorder = Recorder(PACKAGE, SIMULATOR)
    recorded: list[list[Call]] = []

    async def script(meta: Meta) -> None:
        for _ in range(_WARM):
            await meta.ask()
        for _ in range(_RECORDED):
            recorder.begin()
            await meta.ask()
            recorded.append(recorder.end())

    play(script, recorder, echoes=echoes)
    return min(recorded, key=lambda calls: (len(calls), changes(calls).total()))


def _fix_hashes() -> None:
    """Begin anew unless sets have the same order each time: some are gone through on the way."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, sys.orig_argv, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 - no shell is wanted


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m qa.trace", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="the section of the docs only")
    parser.add_argument("--full", action="store_true", help="every call")
    parser.add_argument("--echo", action="store_true", help="with the echo of the answer")
    return parser.parse_args()


if __name__ == "__main__":
    main()
