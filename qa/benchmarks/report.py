"""What was measured, against what was promised, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.benchmarks.samples import median

_HEADINGS = ("figure", "median", "from … to", "target", "verdict")


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to be: at least or at most *bound*."""

    bound: float
    at_most: bool = False

    def is_met_by(self, value: float) -> bool:
        """Return whether *value* is good enough."""
        return value <= self.bound if self.at_most else value >= self.bound


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One measured thing: its *samples*, of which the median counts, in *unit*.

    *aim* is what it ought to become; missing it is no failure.
    """

    name: str
    samples: Sequence[float]
    unit: str = ""
    target: Target | None = None
    aim: float | None = None

    @property
    def value(self) -> float:
        """The median."""
        return median(self.samples)

    @property
    def is_missed(self) -> bool:
        """Whether there is a target that was not met."""
        return self.target is not None and not self.target.is_met_by(self.value)


def at_least(bound: float) -> Target:
    """Return the target of a figure for which more is better."""
    return Target(bound)


def at_most(bound: float) -> Target:
    """Return the target of a figure for which less is better."""
    return Target(bound, at_most=True)


def table(figures: Sequence[Figure]) -> str:
    """Return *figures* as a Markdown table that can be read as it is."""
    return markdown([_HEADINGS, *(_row(figure) for figure in figures)])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return *rows*, the first of them headings, as a Markdown table that can be read as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _row(figure: Figure) -> tuple[str, ...]:
    samples, unit = figure.samples, figure.unit
    spread = f"{number(min(samples))} … {number(max(samples))}" if len(samples) > 1 else ""
    return (
        figure.name,
        f"{number(figure.value)} {unit}".rstrip(),
        spread,
        _wanted(figure),
        _verdict(figure),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def _wanted(figure: Figure) -> str:
    if figure.target is None:
        return ""
    sign = "≤" if figure.target.at_most else "≥"
    aim = "" if figure.aim is None else f" (aim {number(figure.aim)})"
    return f"{sign} {number(figure.target.bound)}{aim}"


def _verdict(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return "missed" if figure.is_missed else "met"


def number(value: float) -> str:
    """Return *value* with as many digits as say something."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
