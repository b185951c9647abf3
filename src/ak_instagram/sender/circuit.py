"""
An account that can't send is left alone, and noticed when it can again.

A dead token or a restriction concerns the whole account: instead of each conversation
running into it, all of them wait. When a pause has passed, one of them is let through
to try; the others follow once that has worked. Other accounts are not concerned.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff

from .graph_errors import ErrorClass, GraphError

log = structlog.get_logger()

PROBE = 10.0  # seconds that whoever was let through has to show that it works
_BLOCKED = Backoff(first=30, factor=2, longest=900)
_RESTING = Backoff(first=1, factor=2, longest=300)
_FIXES = {
    ErrorClass.AUTHORIZATION: "renew the access token or the permission that is named by the code,"
    " and see the account's settings for connected tools; what waits then goes out by itself",
    ErrorClass.ACCOUNT_RESTRICTED: "see the account's status in the Instagram app and in the App"
    " Dashboard; what waits then goes out by itself",
}


@dataclass(frozen=True, slots=True)
class Block:
    """
    An account's block: until when (steady clock), and how often it has come up in a row.

    *prober* is the contact whose conversation may try in spite of it.
    """

    until: float
    failures: int
    error_class: ErrorClass
    prober: str | None = None


class Circuits:
    """Which accounts may send now."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._blocks: dict[str, Block] = {}

    def wait(self, account: str, contact: str) -> float:
        """
        Return the seconds that *account* has to wait before it writes to *contact*, 0 for none.

        After a pause one conversation gets 0, however often it asks: it tries for the others.
        """
        block = self._blocks.get(account)
        if block is None:
            return 0.0
        now = self._now()
        if now < block.until:
            return 0.0 if block.prober == contact else block.until - now
        self._blocks[account] = replace(block, until=now + PROBE, prober=contact)
        return 0.0

    def trip(self, account: str, error: GraphError, error_class: ErrorClass) -> float:
        """Let *account* wait because of *error*; return for how many seconds."""
        known = self._blocks.get(account)
        failures = known.failures + 1 if known else 1
        is_limit = error_class is ErrorClass.RATE_LIMITED
        pause = (_RESTING if is_limit else _BLOCKED).pause(failures)
        pause = max(pause, error.retry_after or 0.0)
        self._blocks[account] = Block(self._now() + pause, failures, error_class)
        if known is None or known.error_class is not error_class:
            _tell(account, error, error_class)
        return pause

    def heal(self, account: str) -> bool:
        """Let *account* send again; return whether it was blocked."""
        block = self._blocks.pop(account, None)
        if block is None:
            return False
        metrics.ACCOUNTS_STOPPED.labels(account).set(0)
        log.info("account.healed", account=account, was=block.error_class.value)
        return True


def _tell(account: str, error: GraphError, error_class: ErrorClass) -> None:
    """Say once what is wrong and what helps."""
    if error_class is ErrorClass.RATE_LIMITED:
        log.warning("account.resting", account=account, reason=str(error))
        return
    metrics.ACCOUNTS_STOPPED.labels(account).set(1)
    log.error("account.stopped", account=account, reason=str(error), fix=_FIXES[error_class])
