"""Findings and the checks that make them; a check is a small function with a code for ever."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .facts import Facts

PAGE = "docs/doctor.md"  # where each code has its anchor


class Result(StrEnum):
    """A finding's verdict."""

    OK = "ok"
    WARNING = "warning"  # it works, and will not for ever or for everybody
    ERROR = "error"  # messages are lost or not answered


class Group(StrEnum):
    """The groups of checks, in the order in which they are told."""

    SETTINGS = "settings"
    CLOCK = "clock"
    STORE = "store"
    AGENT = "agent"
    TOKEN = "token"  # noqa: S105 - a group's name
    ACCOUNT = "account"
    SUBSCRIPTION = "subscription"
    CALLBACK = "callback"
    VERSION = "version"
    POLICY = "policy"
    AUTOMATIONS = "automations"


class Asks(StrEnum):
    """Whom a check asks."""

    NOBODY = "nobody"
    META = "Meta"
    AGENT = "the agent"
    CALLBACK = "the callback"
    SERVICE = "the service"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found, in one sentence; *fix* is a command or a path of clicks."""

    result: Result
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with the *code* and the *group* of its check."""

    code: str
    group: Group
    result: Result
    text: str
    fix: str = ""

    @property
    def anchor(self) -> str:
        """Where the documents tell more."""
        return f"{PAGE}#{self.code.lower()}"

    def as_json(self) -> dict[str, str]:
        """Return it as `doctor --json` prints it."""
        return {
            "code": self.code,
            "group": self.group.value,
            "result": self.result.value,
            "text": self.text,
            "fix": self.fix,
        }


Run: TypeAlias = Callable[["Facts"], Awaitable[Sequence[Verdict]]]


@dataclass(frozen=True, slots=True)
class Check:
    """
    One check: its *code*, a *title* that is true when all is well, and whom it *asks*.

    *run* returns a verdict for each thing that it looked at, none where nothing can be told.
    *at_start* is whether a start of the service makes it as well. *run*'s docstring is for the
    documents.
    """

    code: str
    group: Group
    title: str
    run: Run
    asks: Asks = Asks.NOBODY
    at_start: bool = True

    @property
    def about(self) -> str:
        """The documents' paragraphs."""
        return inspect.cleandoc(self.run.__doc__ or "")


def check(
    code: str, group: Group, title: str, *, asks: Asks = Asks.NOBODY, at_start: bool = True
) -> Callable[[Run], Check]:
    """Return a decorator that makes a function the check *code*."""
    return lambda run: Check(code, group, title, run, asks, at_start)


def ok(text: str) -> Verdict:
    """Return that all is well."""
    return Verdict(Result.OK, text)


def warning(text: str, fix: str) -> Verdict:
    """Return something that works, and will not for ever or for everybody."""
    return Verdict(Result.WARNING, text, fix)


def error(text: str, fix: str) -> Verdict:
    """Return something because of which messages are lost or not answered."""
    return Verdict(Result.ERROR, text, fix)
