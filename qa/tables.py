"""
Tables in the documents that are printed from code.

`python -m qa.tables` writes them anew between their markers; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ak_instagram.backoff import Backoff
from ak_instagram.delivery.decide import (
    PEOPLE,
    VERDICT_WAIT,
    Action,
    Degrade,
    Failure,
    GiveUp,
    LookUp,
    OpenCircuit,
    Park,
    Retry,
    SendLater,
    decide,
    judge,
)
from ak_instagram.delivery.reconcile import decide_look_up_failed, decide_not_found
from ak_instagram.meta.graph.codes import RULES, ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.reply.rich import LIMITS
from tests.support.dialects import conformance_table

RELIABILITY = Path(__file__).parents[1] / "docs" / "reliability.md"
DECISIONS = "delivery-decisions"
AGENTS = RELIABILITY.with_name("agents.md")
CONFORMANCE = "conformance"
RICH = "rich-limits"

# Waits for no time of its own, so that only the waits that a decision asks for show.
_BACKOFF = Backoff(max_attempts=8, first=0, longest=0)
_CLEAR = 27  # a code that is of one message and nothing else
_HEAD = ("error", "first time", "again, others were sent", "again, nothing was sent")


def decision_table() -> str:
    """Return delivery's decisions as a Markdown table, a row for each kind of error."""
    rows = [_HEAD, ("---",) * len(_HEAD), *_errors(), *_look_ups()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _errors() -> Iterator[tuple[str, ...]]:
    """Yield a row for each class, then one for each error whose class changes by repetition."""
    for error_class in ErrorClass:
        yield _row(f"`{error_class}`", GraphError(error_class, code=_CLEAR), times=2)
    vague = GraphError(ErrorClass.BAD_REQUEST, code=100)
    name = "100, 100/33, codes that are not known: of this message or of the whole app"
    yield _row(name, vague, times=2)
    yield _row(f"the same, to {PEOPLE} people or more in a row", vague, times=2, people=PEOPLE)
    for (code, subcode), rule in RULES.items():
        if rule.failures is not None:
            number = f"{code}/{subcode}" if subcode else str(code)
            error = GraphError(rule.error_class, code=code, subcode=subcode)
            name = (
                f"{number}: {rule.meaning}; *again* is the {_ordinal(rule.failures)} time or later"
            )
            yield _row(name, error, rule.failures)
    refused = GraphError(ErrorClass.BAD_REQUEST, code=100)
    yield _row("more than words: `bad_request`, and what is vague", refused, 2, has_fallback=True)
    missing = GraphError(ErrorClass.TRANSIENT, code=100, subcode=2018008)
    name = "a picture, sound, film or file: 100/2018008, 100/2018294"
    yield _row(name, missing, 2, has_fallback=True)
    temporary = GraphError(ErrorClass.TRANSIENT, code=2, subcode=1545133)
    yield _row("a reaction: `transient`", temporary, 2, is_action=True)


def _row(
    name: str, error: GraphError, times: int, people: int = 1, **kind: bool
) -> tuple[str, ...]:
    cases = ((1, False), (times, True), (times, False))
    failures = (_failure(error, *case, people) for case in cases)
    actions = (decide(error, it, 1, _BACKOFF, **kind) for it in failures)
    return name, *map(describe, actions)


def _look_ups() -> Iterator[tuple[str, ...]]:
    """Yield the rows of a piece that is looked for."""
    refused = GraphError(ErrorClass.AUTHORIZATION)
    cases = ((1, False), (2, True), (2, False))
    failures = [_failure(refused, *case) for case in cases]
    absent = decide_not_found(None, 1, _BACKOFF, 0.0)
    blamed = decide_not_found(failures[0], 1, _BACKOFF, 0.0)
    yield "looked for: not there", *[describe(absent)] * 3
    yield "looked for: not there, and the account was to blame", *[describe(blamed)] * 3
    temporary = GraphError(ErrorClass.TRANSIENT)
    failed = decide_look_up_failed(temporary, _failure(temporary, 1, False), 1, _BACKOFF)
    yield "the look-up fails: `transient`", *[describe(failed)] * 3
    actions = (decide_look_up_failed(refused, it, 1, _BACKOFF) for it in failures)
    yield "the look-up fails: `authorization`", *map(describe, actions)


def _failure(error: GraphError, times: int, account_worked: bool, people: int = 1) -> Failure:
    span = VERDICT_WAIT if times > 1 else 0.0
    error_class = judge(error, times, span, account_worked=account_worked, people=people)
    return Failure(times, error.code, error.subcode, times, 0.0, span, error_class)


def rich_table() -> str:
    """Return the limits of each kind of rich part as a Markdown table."""
    rows = [("part", "Instagram's limits", "what does not fit"), ("---",) * 3, *LIMITS]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def describe(action: Action) -> str:
    """Return *action* in a few words."""
    match action:
        case Retry(after, _, in_doubt):
            what = "look again" if in_doubt else "try again"
            return f"{what} after the backoff{f', at least {after:g} s' if after else ''}"
        case LookUp(after):
            return f"look for it in {after:g} s"
        case SendLater():
            return "send it at once; no attempt is used up"
        case OpenCircuit(error_class, _, _, in_doubt):
            then = ", then look for it" if in_doubt else ""
            return f"the account waits (`{error_class}`){then}"
        case Degrade():
            return "send what stands in for it"
        case Park():
            return "keep it until the person writes"
        case GiveUp():
            return "dead letter"
    return type(action).__name__


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def between(text: str, name: str) -> str:
    """Return the part of *text* between the markers called *name*."""
    return text.partition(f"<!-- {name}:begin -->\n")[2].partition(f"\n<!-- {name}:end -->")[0]


def write(document: Path, name: str, table: str) -> None:
    """Put *table* between the markers called *name* in *document*."""
    text = document.read_text(encoding="utf-8")
    head, begin, rest = text.partition(f"<!-- {name}:begin -->\n")
    _, end, tail = rest.partition(f"<!-- {name}:end -->")
    document.write_text(f"{head}{begin}{table}\n{end}{tail}", encoding="utf-8")


def main() -> None:
    """Write every table into its document."""
    write(RELIABILITY, DECISIONS, decision_table())
    write(AGENTS, RICH, rich_table())
    write(AGENTS, CONFORMANCE, conformance_table())


if __name__ == "__main__":
    main()
