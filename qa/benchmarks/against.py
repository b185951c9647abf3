"""Two revisions compared: the tree and another one, measured in turn by the same tools."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from qa.benchmarks.bench import Bench, Effort, say
from qa.benchmarks.report import Figure, markdown, number
from qa.benchmarks.samples import median, ratios

TURNS = 5  # of each revision, one after the other
# Of one turn: short rounds, often, so that the machine's moods cancel.
ONE_TURN = Effort(rounds=1, blocks=4, starts=3, glances=1, idle=6.0)
# Figures of these measure the service as a process; the others call this tree's own verbs.
COMPARABLE = ("start", "idle", "ack", "open", "turns", "stores", "waiting", "crowd", "quiet")

Measure = Callable[[Bench], list[Figure]]


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure: its samples here and there, in the order in which they were measured."""

    name: str
    unit: str
    here: Sequence[float]
    there: Sequence[float]


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """
    Yield the folder to import *revision*'s service from; it is removed when the block ends.

    Raises `subprocess.CalledProcessError` if git knows no such revision. What it needs has to be
    installed already: the environment is this tree's.
    """
    with tempfile.TemporaryDirectory(prefix="ak-instagram-against-") as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), revision)
        try:
            yield tree / "src"
        finally:
            _git("worktree", "remove", "--force", str(tree))


def measure(bench: Bench, source: Path, measures: Sequence[Measure]) -> list[Pair]:
    """Return all figures of *measures*, of the service here and of that in *source*."""
    here, there = bench, replace(bench, source=source)
    pairs: list[Pair] = []
    for each in measures:
        taken: tuple[list[list[Figure]], list[list[Figure]]] = ([], [])
        for turn in range(1, TURNS + 1):
            for side, figures in zip((here, there), taken, strict=True):
                say(f"turn {turn} of {TURNS}, {'here' if side is here else 'there'}")
                figures.append(each(side))
                bench.tidy()
        pairs += _paired(*taken)
    return pairs


def table(pairs: Sequence[Pair], revision: str) -> str:
    """Return *pairs* as a Markdown table: medians here and there, and of their ratios."""
    rows = [("figure", "here", revision, "here ÷ there", "from … to")]
    for pair in pairs:
        of = ratios(pair.here, pair.there)
        rows.append(
            (
                pair.name,
                f"{number(median(pair.here))} {pair.unit}".rstrip(),
                f"{number(median(pair.there))} {pair.unit}".rstrip(),
                f"{median(of):.3f}",
                f"{min(of):.2f} … {max(of):.2f}",
            )
        )
    return markdown(rows)


def _paired(here: Sequence[list[Figure]], there: Sequence[list[Figure]]) -> Iterator[Pair]:
    for index, figure in enumerate(here[0]):
        yield Pair(
            figure.name,
            figure.unit,
            [figures[index].value for figures in here],
            [figures[index].value for figures in there],
        )


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)  # noqa: S607 - git is on PATH where there is a clone
