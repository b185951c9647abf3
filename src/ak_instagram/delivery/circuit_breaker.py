"""
An account that can't send is left alone, and noticed when it can again.

A dead token or a restriction concerns the whole account: instead of each conversation
running into it, all of them wait. When a pause has passed, one of them is let through
to try; the others follow once that has worked. A rate limit passes by itself: after
the pause all go on. It does not end a block, since it leaves open whether the try
would have worked. Other accounts are not concerned.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff
from ak_instagram.meta.graph_codes import ErrorClass
from ak_instagram.meta.graph_errors import GraphError

log = structlog.get_logger()

PROBE = 10.0  # seconds that whoever was let through has to show that it works
_BLOCKED = Backoff(first=30, factor=2, longest=900)
_RESTING = Backoff(first=1, factor=2, longest=300)
_FIXES = {
    ErrorClass.AUTHORIZATION: "if the token is dead, set a new one and restart; else grant the"
    " permission that the reason names, and see the account's settings for connected tools; what"
    " waits then goes out by itself",
    ErrorClass.ACCOUNT_RESTRICTED: "see the account's status in the Instagram app and in the App"
    " Dashboard; what waits then goes out by itself",
}


@dataclass(frozen=True, slots=True)
class Block:
    """
    An account's block: since when and until when (steady clock), and how often in a row.

    *prober* is the contact whose conversation may try in spite of it, *tried* the one
    that has done so last, in vain.
    """

    since: float
    until: float
    failures: int
    error_class: ErrorClass
    probe_contact: str | None = None
    tried: str | None = None

    @property
    def is_rest(self) -> bool:
        """Whether it passes by itself."""
        return self.error_class is ErrorClass.RATE_LIMITED


class CircuitBreaker:
    """
    Which accounts may send now.

    Many sends may be under way when an account is blocked. How those end says nothing
    of what is to come: only what *began* after that lengthens the pause or ends the
    block. *now* is the steady clock that tells it.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._blocks: dict[str, Block] = {}
        self._worked: dict[str, float] = {}

    def wait(self, account: str, contact: str) -> float:
        """
        Return the seconds that *account* has to wait before it writes to *contact*, 0 for none.

        After a pause one conversation gets 0, however often it asks: it tries for the others.
        Whoever tried before gives way to them: it may be its message alone that is refused.
        """
        block, now = self._blocks.get(account), self.now()
        if block is None:
            return 0.0
        until = block.until + (PROBE if block.tried == contact else 0.0)
        if now < until:
            return 0.0 if block.probe_contact == contact else until - now
        if not block.is_rest:
            self._blocks[account] = replace(block, until=now + PROBE, probe_contact=contact)
        return 0.0

    def trip(
        self, account: str, contact: str, began: float, error: GraphError, error_class: ErrorClass
    ) -> float:
        """
        Let *account* wait because of a call; return for how many seconds.

        The call was about *contact*, *began* then, and ended with *error*, which is
        of *error_class* here.
        """
        known, now = self._blocks.get(account), self.now()
        if known is None or began > known.since or _is_worse(error_class, known):
            block = _block(known, contact, now, error, error_class)
        else:
            block = replace(known, until=max(known.until, now + (error.retry_after or 0.0)))
        self._blocks[account] = block
        if known is None or known.error_class is not block.error_class:
            _tell(account, error, error_class)
        return max(block.until - now, 0.0)

    def heal(self, account: str, began: float) -> bool:
        """
        Let *account* send again, since a call that *began* then worked.

        Return whether that ended a block.
        """
        self._worked[account] = max(began, self.last_worked(account))
        block = self._blocks.get(account)
        if block is None or began <= block.since:
            return False
        del self._blocks[account]
        metrics.ACCOUNTS_STOPPED.labels(account).set(0)
        log.info("account.recovered", account=account, was=block.error_class.value)
        return True

    def last_worked(self, account: str) -> float:
        """Return when the latest call of *account* that worked began, by the steady clock."""
        return self._worked.get(account, float("-inf"))


def _block(
    known: Block | None, contact: str, now: float, error: GraphError, error_class: ErrorClass
) -> Block:
    error_class, failures = _in_a_row(known, error_class)
    is_rest = error_class is ErrorClass.RATE_LIMITED
    pause = (_RESTING if is_rest else _BLOCKED).wait(failures)
    until = now + max(pause, error.retry_after or 0.0)
    return Block(now, until, failures, error_class, tried=None if is_rest else contact)


def _in_a_row(known: Block | None, error_class: ErrorClass) -> tuple[ErrorClass, int]:
    """Return what blocks the account after a further error, and how often it has in a row."""
    if known is None:
        return error_class, 1
    if known.error_class is error_class:
        return error_class, known.failures + 1
    if error_class is ErrorClass.RATE_LIMITED:
        return known.error_class, known.failures
    return error_class, 1


def _is_worse(error_class: ErrorClass, known: Block) -> bool:
    """Whether *known* passes by itself, and *error_class* needs somebody to act."""
    return known.is_rest and error_class is not ErrorClass.RATE_LIMITED


def _tell(account: str, error: GraphError, error_class: ErrorClass) -> None:
    """Say once what is wrong and what helps."""
    fix = _FIXES.get(error_class)
    metrics.ACCOUNTS_STOPPED.labels(account).set(0 if fix is None else 1)
    if fix is None:
        log.warning("account.rate_limited", account=account, reason=str(error))
    else:
        log.error("account.stopped", account=account, reason=str(error), fix=fix)
