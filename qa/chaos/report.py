"""What the campaigns came to, as a table that can be read as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from qa.chaos.campaign import Outcome

EVIDENCE = 10  # violations of a campaign that are told
_COLUMNS = (
    *("seed", "store", "messages", "conversations", "kills", "stops", "terms", "store down"),
    *("faults", "asked", "again", "pieces", "lost", "doubled", "overtaken", "strange"),
    *("left", "healed in", "seconds"),
)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a Markdown table with a line for each outcome."""
    rows = [_COLUMNS, *(_row(outcome) for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def evidence(outcome: Outcome) -> Iterator[str]:
    """Yield a line for each of the first violations."""
    for violation in outcome.violations[:EVIDENCE]:
        yield f"{violation.sort}: {violation.evidence} (person {violation.person})"
    if (more := len(outcome.violations) - EVIDENCE) > 0:
        yield f"… and {more} more"


def _row(outcome: Outcome) -> tuple[str, ...]:
    trouble = outcome.trouble
    sorts = Counter(violation.sort for violation in outcome.violations)
    cells = (
        *(outcome.seed, outcome.store, outcome.accepted, outcome.conversations),
        *(trouble[how] for how in ("kills", "stops", "terms", "store", "faults")),
        *(outcome.asked, outcome.asked_again, outcome.pieces),
        *(sorts[sort] for sort in ("lost", "doubled", "overtaken", "strange")),
        *(outcome.left, f"{outcome.healed_in:.0f}", f"{outcome.seconds:.0f}"),
    )
    return tuple(map(str, cells))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
