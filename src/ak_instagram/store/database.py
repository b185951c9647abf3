"""Transactions: a verb is a function of one, and a database runs it until it is durable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection

from .values import Claim, LeaseId

T = TypeVar("T")
P = ParamSpec("P")

CHANNEL = "ak_instagram"  # PostgreSQL's, by which replicas hear of each other's work

# The time in UTC milliseconds.
Clock: TypeAlias = Callable[[], int]

# Work on a connection, which also gets the database's time in UTC milliseconds.
Work: TypeAlias = Callable[[Connection, int], T]


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """
    The process run that works on the store, and the rules by which it does.

    *owner* names it in its leases, which last *lease_ms*. *debounce_ms* is the quiet that
    ends a burst, *takeover_pause_ms* how long the bot is silent after a person has
    answered. *automatic_texts* are what the account says without one, *opt_out_words* and
    *opt_in_words* what a person ends and begins answers with. *transcript_lines*
    is how many a claim brings along. *turn_id* names the turn of a claim, and is set only if the
    agent posts its answers. *disclosure* tells people that a machine answers, and tells them
    again after *disclosure_gap_ms* without an answer; empty is never; *disclosures* are those of
    accounts that have their own, by their ids. An operator is told of
    what happens if the process *notifies*.
    """

    owner: str
    lease_ms: int
    debounce_ms: int = 0
    takeover_pause_ms: int = 12 * 3_600_000
    automatic_texts: tuple[str, ...] = ()
    transcript_lines: int = 0
    turn_id: Callable[[Claim], str] | None = None
    replies_to_comments: bool = False
    opt_out_words: tuple[str, ...] = ()
    opt_in_words: tuple[str, ...] = ()
    disclosure: str = ""
    disclosures: Mapping[str, str] = field(default_factory=dict, hash=False)
    disclosure_gap_ms: int = 0
    notifies: bool = False


@dataclass(frozen=True, slots=True)
class Tx:
    """
    One transaction: its connection, the database's time in UTC milliseconds, and the worker.

    In *due_in* a verb says in how many milliseconds something becomes due because of it:
    once that is committed, the worker looks for it in time.
    """

    connection: Connection
    now: int
    worker: WorkerIdentity
    due_in: list[int] = field(default_factory=list)


class Transactions(Protocol):
    """The store as most of the service sees it: it runs verbs."""

    async def run(
        self, verb: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        Return what *verb* returns, in a transaction of its own, after its commit.

        *verb* may run more than once. Raises what *verb* raises, and
        `errors.StoreUnavailable` when the database refuses.
        """
        ...


class WorkQueue(Transactions, Protocol):
    """The store as its worker sees it: conversations that are due, handed out under leases."""

    def claim(self, limit: int) -> Awaitable[list[Claim]]:
        """Wait for conversations that are due and take the oldest, up to *limit* of them."""
        ...

    async def renew(self) -> frozenset[LeaseId]:
        """Extend all leases of this process, and return what it holds."""
        ...

    async def abandon(self, lease_ids: Collection[LeaseId]) -> None:
        """Release conversations that are still due and that nobody here is working on."""
        ...

    def lease_left(self, claim: Claim) -> float:
        """Return for how many seconds nobody else can hold the conversation."""
        ...

    def now(self) -> int:
        """Return the database's time in UTC milliseconds, as far as it is known here."""
        ...


class Database(Protocol):
    """A database that runs work in transactions."""

    @property
    def clock(self) -> Clock:
        """The database's time, as far as it is known here."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether other processes work on the database as well."""
        ...

    def on_notify(self, wake: Callable[[], None]) -> None:
        """Call *wake* whenever another process has stored work that it can't do itself."""
        ...

    def run(self, work: Work[T], *, urgent: bool = False) -> Awaitable[T]:
        """
        Wait for what *work* returns, after its transaction was committed.

        *urgent* is what Meta waits for: it does not queue up behind other work.
        *work* may run more than once and share its transaction with others'. Raises
        what *work* raises, and `errors.StoreUnavailable` when the database refuses.
        """
        ...
