"""
The stop switch: sending is held while an operator wants it, and goes on where it was.

The store says what is stopped (`store.verbs.operators.stops`), and each process looks there
every few seconds: no message pays for a question. In between, the circuit breaker holds the
accounts that are stopped, as it does with those that can't send: nothing is given up, no
attempt is used up, and the agent is not asked.
"""

from __future__ import annotations

import structlog

from ak_instagram import metrics
from ak_instagram.jobs import run_rounds
from ak_instagram.store.database import Transactions
from ak_instagram.store.values import ALL_ACCOUNTS
from ak_instagram.store.verbs.operators import stops

from .circuit_breaker import CircuitBreaker

log = structlog.get_logger()

EVERY = 2.0  # seconds between two looks


class StopSwitch:
    """
    Keeps what *circuit_breaker* holds as *store* has it; everything if not *enabled*.

    *enabled* is `sender.enabled`, which only a restart changes.
    """

    def __init__(
        self,
        store: Transactions,
        circuit_breaker: CircuitBreaker,
        *,
        enabled: bool = True,
        every: float = EVERY,
    ) -> None:
        self._store = store
        self._circuit_breaker = circuit_breaker
        self._enabled = enabled
        self._every = every

    async def run(self) -> None:
        """Look again and again; never return."""
        await run_rounds(self.look, self._every, failure="sending.not_read")

    async def look(self) -> None:
        """
        Hold what is stopped now, and let go what is not any more.

        Whoever lets go wakes what waits: it may have been put back by a process that had not
        looked yet, and that one wakes it later.
        """
        held = self._circuit_breaker.held
        if self._enabled:
            wanted = frozenset(await self._store.run(stops.stopped))
        else:
            wanted = frozenset({ALL_ACCOUNTS})
        if wanted == held:
            return
        self._circuit_breaker.held = wanted
        for account in wanted - held:
            _report(account, is_stopped=True, reason="" if self._enabled else "sender.enabled")
        for account in held - wanted:
            _report(account, is_stopped=False)
            await self._store.run(stops.wake, account)


def _report(account: str, *, is_stopped: bool, reason: str = "") -> None:
    """Log once that *account* is held, by command or for another *reason*, or is let go."""
    name = "all" if account == ALL_ACCOUNTS else account
    metrics.SENDING_STOPPED.labels(name).set(is_stopped)
    if not is_stopped:
        log.info("sending.resumed", account=name)
    elif reason:
        log.warning(
            "sending.stopped",
            account=name,
            reason=f"{reason} is false",
            fix="set AK_SENDER__ENABLED=true and restart; what waits then goes out by itself",
        )
    else:
        log.warning(
            "sending.stopped",
            account=name,
            reason="stopped by command",
            fix="`resume` with the same option; what waits then goes out by itself",
        )
