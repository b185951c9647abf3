"""
Circuit breaker: an account that can't send is left alone, and noticed when it can again.

A dead token or a restriction concerns the whole account: instead of each conversation
running into it, all of them wait (the circuit is open). When a pause has passed, one of
them is let through as a probe (half-open); the others follow once a call has worked
(closed). Other accounts are not concerned.

What an operator has stopped is held in the same way, without a probe (see `stop_switch`).

A rate limit passes by itself: after its pause all go on. One that a probe runs into does
not close the circuit, since the probe's own outcome stays unknown.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff
from ak_instagram.meta.graph.codes import STOPPED, ErrorClass
from ak_instagram.store.values import ALL_ACCOUNTS

log = structlog.get_logger()

PROBE = 10.0  # seconds that a probe has to show that the account works
MAX_REFUSED = 10  # people remembered for each account
HELD = 600.0  # seconds until what is held by an operator is looked at again; its end wakes it
_STOPPED = Backoff(first=30, factor=2, longest=900)
_RATE_LIMITED = Backoff(first=1, factor=2, longest=300)
_FIXES = {
    ErrorClass.AUTHORIZATION: "if the token is dead, set a new one and restart; else grant the"
    " permission that the reason names, and see the account's settings for connected tools; what"
    " waits then goes out by itself",
    ErrorClass.ACCOUNT_RESTRICTED: "see the account's status in the Instagram app, the app's in the"
    " App Dashboard, and whether instagram.api_version has ended; what waits then goes out by"
    " itself",
}


OnStopped: TypeAlias = Callable[[str, ErrorClass, str], None]


@dataclass(frozen=True, slots=True)
class OpenState:
    """
    An account's open circuit: since when and until when (steady clock), and why.

    *failures* are the failed calls in a row that opened it. *probe* is the contact whose
    conversation is let through in spite of it, *failed_probe* the last one that failed.
    """

    since: float
    until: float
    failures: int
    error_class: ErrorClass
    probe: str | None = None
    failed_probe: str | None = None


class CircuitBreaker:
    """
    One circuit for each account: whether it may call Meta now.

    Many calls may be under way when a circuit opens. Their ends say nothing of what is to
    come: only a call that *began* after that lengthens the pause or closes the circuit.
    *now* is the steady clock that tells it. *held* are the accounts that an operator has
    stopped, `ALL_ACCOUNTS` among them. *on_stopped* hears of each account that somebody has
    to act for, with why.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, *, on_stopped: OnStopped | None = None
    ) -> None:
        self.now = now
        self._on_stopped = on_stopped
        self.held: frozenset[str] = frozenset()
        self._open: dict[str, OpenState] = {}
        self._last_success: dict[str, float] = {}
        # When each of the latest people got a vague refusal, by account.
        self._refused: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def open_for(self, account: str, contact: str) -> float:
        """
        Return for how many seconds *account* may not write to *contact*, 0 if it may now.

        After a pause one contact gets 0, however often it is asked about: its conversation
        is the probe. The contact of a failed probe comes after the others, since perhaps
        only its message is refused.
        """
        if self.held and (account in self.held or ALL_ACCOUNTS in self.held):
            return HELD
        state = self._open.get(account)
        if state is None:
            return 0.0
        now = self.now()
        until = state.until + (PROBE if state.failed_probe == contact else 0.0)
        if now < until:
            return 0.0 if state.probe == contact else until - now
        if state.error_class is not ErrorClass.RATE_LIMITED:  # half-open from here on
            self._open[account] = replace(state, until=now + PROBE, probe=contact)
        return 0.0

    def open(
        self,
        account: str,
        contact: str,
        began: float,
        error_class: ErrorClass,
        why: str,
        retry_after: float | None = None,
    ) -> float:
        """
        Open *account*'s circuit, or keep it open for longer; return for how many seconds.

        A call about *contact* that *began* then has failed with *error_class*, for the
        reason *why*; Meta asked to wait for *retry_after* seconds.
        """
        known, now = self._open.get(account), self.now()
        is_limit = error_class is ErrorClass.RATE_LIMITED
        # Somebody has to act where a wait was enough before.
        is_worse = known and known.error_class is ErrorClass.RATE_LIMITED and not is_limit
        if known is None or began > known.since or is_worse:
            state = _opened(known, contact, now, error_class, retry_after or 0.0)
        else:
            state = replace(known, until=max(known.until, now + (retry_after or 0.0)))
        self._open[account] = state
        is_news = known is None or known.error_class is not state.error_class
        if is_news and _report(account, error_class, why) and self._on_stopped is not None:
            self._on_stopped(account, error_class, why)
        return max(state.until - now, 0.0)

    def record_success(self, account: str, began: float) -> bool:
        """Note that a call of *account* that *began* then worked; return if it closed a circuit."""
        self._last_success[account] = max(began, self.last_success(account))
        state = self._open.get(account)
        if state is None or began <= state.since:
            return False
        del self._open[account]
        metrics.ACCOUNTS_STOPPED.labels(account).set(0)
        log.info("account.recovered", account=account, was=state.error_class.value)
        return True

    def try_again(self, account: str) -> None:
        """Probe *account* at once if it was stopped: something about it has changed."""
        state = self._open.get(account)
        if state is not None and state.error_class in STOPPED:
            self._open[account] = replace(state, until=self.now(), probe=None, failed_probe=None)

    def record_refusal(self, account: str, contact: str) -> int:
        """
        Note that *contact* got a refusal that may be of the whole app.

        Returns how many different people got one since a call of *account* last worked.
        """
        since, known = self.last_success(account), self._refused[account]
        known.pop(contact, None)
        known[contact] = self.now()
        for person, at in list(known.items()):
            if at <= since or len(known) > MAX_REFUSED:
                del known[person]
        return len(known)

    def last_success(self, account: str) -> float:
        """Return when the latest call of *account* that worked began, by the steady clock."""
        return self._last_success.get(account, float("-inf"))


def _opened(
    known: OpenState | None, contact: str, now: float, error_class: ErrorClass, at_least: float
) -> OpenState:
    """Return the state after a further failure, which lasts *at_least* so many seconds."""
    failures = 1
    if known and known.error_class is error_class:
        failures = known.failures + 1
    elif known and error_class is ErrorClass.RATE_LIMITED:  # no word on what stopped the account
        error_class, failures = known.error_class, known.failures
    is_limit = error_class is ErrorClass.RATE_LIMITED
    pause = (_RATE_LIMITED if is_limit else _STOPPED).wait(failures)
    until = now + max(pause, at_least)
    return OpenState(now, until, failures, error_class, failed_probe=None if is_limit else contact)


def _report(account: str, error_class: ErrorClass, why: str) -> bool:
    """Log once what is wrong and what helps; return whether somebody has to act."""
    fix = _FIXES.get(error_class)
    metrics.ACCOUNTS_STOPPED.labels(account).set(0 if fix is None else 1)
    if fix is None:
        log.warning("account.rate_limited", account=account, reason=why)
    else:
        log.error("account.stopped", account=account, reason=why, fix=fix)
    return fix is not None
