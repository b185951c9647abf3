"""A claim about the image, and whether it holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_PAUSE = 0.1  # seconds between two looks


class Failed(Exception):
    """A claim does not hold; the message says what was seen instead."""


class NotYet(Failed):
    """It does not hold now, and may soon."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a claim: *seen* is the evidence, or what was there instead."""

    claim: str
    holds: bool
    seen: str

    def __str__(self) -> str:
        """Return it as one line."""
        seen = " ".join(self.seen.split())
        return f"{'ok  ' if self.holds else 'FAIL'}  {self.claim}: {seen}"


def judge(claim: str, check: Callable[[], str]) -> Verdict:
    """Return what *check* says of *claim*: it returns the evidence or raises `Failed`."""
    try:
        return Verdict(claim, True, check())
    except Failed as exc:
        return Verdict(claim, False, str(exc))


def refuse(problems: Iterable[str]) -> None:
    """Raise `Failed` if there are *problems*."""
    if found := list(problems):
        raise Failed("; ".join(found))


def until(look: Callable[[], T], within: float, what: str) -> T:
    """Return what *look* returns once that is something; raise `Failed` if it never is."""
    end, reason = time.monotonic() + within, "not"
    while True:
        try:
            if found := look():
                return found
        except NotYet as exc:
            reason = str(exc)
        if time.monotonic() > end:
            raise Failed(f"{what}: {reason} within {within:g} s")
        time.sleep(_PAUSE)
