"""
What was promised, checked against what happened: pure, from a record and what arrived.

Of each conversation: every accepted message was asked and answered, in one answer only;
all pieces of that answer arrived, each once, side by side and in order; and no message
was asked about or answered before an earlier one that was durable when it came. Of an answer that
broke off while it was written only the beginning need have arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Literal, TypeAlias

from qa.chaos.names import Part, read_part
from qa.chaos.record import Record

Sort: TypeAlias = Literal["lost", "doubled", "overtaken", "strange"]


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise, and what shows it."""

    sort: Sort
    person: str
    evidence: str


def violations(
    record: Record, arrived: Mapping[str, Sequence[str]], cut: Set[str] = frozenset()
) -> list[Violation]:
    """
    Return what is wrong with *arrived*: the texts on each person's phone, in order.

    *cut* names the messages whose answers are known to have broken off.
    """
    asked = _first_asked(record)
    return [
        Violation(sort, person, evidence)
        for person, said in record.said.items()
        for sort, evidence in _of_person(record, said, arrived.get(person, ()), asked, cut)
    ]


Finding: TypeAlias = tuple[Sort, str]


def _of_person(
    record: Record,
    said: Sequence[str],
    texts: Sequence[str],
    asked: Mapping[str, int],
    cut: Set[str],
) -> Iterator[Finding]:
    accepted = [name for name in said if name in record.accepted]
    parts = [(text, read_part(text)) for text in texts]
    yield from (("strange", f"nobody answered {text!r}") for text, part in parts if part is None)
    known = [part for _, part in parts if part is not None]
    answered = _positions(known)
    yield from _lost(accepted, known, asked, cut)
    yield from _doubled(known)
    yield from _out_of_order(known)
    yield from _overtaken(record, accepted, answered, "answered")
    yield from _overtaken(record, accepted, asked, "asked")
    yield from _shuffled(known, said)


def _first_asked(record: Record) -> dict[str, int]:
    """Return for each name the first question that had it."""
    first: dict[str, int] = {}
    for position, question in enumerate(record.asked):
        for name in question.names:
            first.setdefault(name, position)
    return first


def _positions(parts: Sequence[Part]) -> dict[str, int]:
    """Return for each name where its answer begins."""
    first: dict[str, int] = {}
    began: dict[int, int] = {}
    for position, part in enumerate(parts):
        began.setdefault(part.answer, position)
        for name in part.names:
            first.setdefault(name, began[part.answer])
    return first


def _lost(
    accepted: Sequence[str], parts: Sequence[Part], asked: Mapping[str, int], cut: Set[str]
) -> Iterator[Finding]:
    answered = {name for part in parts for name in part.names}
    for name in accepted:
        if name not in asked:
            yield "lost", f"{name} was accepted and never asked"
        elif name not in answered:
            yield "lost", f"{name} was asked and no answer arrived"
    numbers: dict[int, set[int]] = {}
    for part in parts:
        numbers.setdefault(part.answer, set()).add(part.number)
    for part in {part.answer: part for part in parts}.values():
        answer, of = part.answer, part.of
        missing = set(range(1, of + 1)) - numbers[answer]
        is_rest = bool(missing) and min(missing) > max(numbers[answer])
        if missing and not (is_rest and set(part.names) <= cut):
            yield "lost", f"of answer {answer} parts {sorted(missing)} of {of} never arrived"


def _doubled(parts: Sequence[Part]) -> Iterator[Finding]:
    times: dict[Part, int] = {}
    answers: dict[str, set[int]] = {}
    for part in parts:
        times[part] = times.get(part, 0) + 1
        for name in part.names:
            answers.setdefault(name, set()).add(part.answer)
    for part, often in times.items():
        if often > 1:
            yield "doubled", f"{part.text!r} arrived {often} times"
    for name, of_name in answers.items():
        if len(of_name) > 1:
            yield "doubled", f"{name} was answered by {sorted(of_name)}"


def _out_of_order(parts: Sequence[Part]) -> Iterator[Finding]:
    """Find answers whose parts are not side by side and in order; repeats are doubles."""
    once = list(dict.fromkeys(parts))
    runs = [list(run) for _, run in groupby(once, lambda part: part.answer)]
    seen: set[int] = set()
    for run in runs:
        numbers = [part.number for part in run]
        if run[0].answer in seen:
            yield "overtaken", f"answer {run[0].answer} was interrupted by another"
        elif numbers != sorted(numbers):
            yield "overtaken", f"answer {run[0].answer} arrived as {numbers}"
        seen.add(run[0].answer)


def _overtaken(
    record: Record, accepted: Sequence[str], position: Mapping[str, int], done: str
) -> Iterator[Finding]:
    known = [name for name in accepted if name in position]
    for earlier, later in combinations(known, 2):
        if position[earlier] > position[later] and record.binds(earlier, later):
            yield "overtaken", f"{later} was {done} before {earlier}"


def _shuffled(parts: Sequence[Part], said: Sequence[str]) -> Iterator[Finding]:
    """Find turns that are not in the order in which the person spoke."""
    order = {name: position for position, name in enumerate(said)}
    for part in dict.fromkeys(parts):
        positions = [order.get(name, -1) for name in part.names]
        if positions != sorted(set(positions)):
            yield "overtaken", f"{part.text!r} is not in the order of speaking"
