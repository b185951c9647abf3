"""Stops: accounts whose sending an operator has stopped, until somebody resumes it."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, text

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import stops
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import ALL_ACCOUNTS
from ak_instagram.store.verbs import claims

_s = stops.c

_STOP = Statement(
    text(
        "INSERT INTO stops (account, since) VALUES (:account, :now)"
        " ON CONFLICT (account) DO NOTHING"
    )
)
_RESUME = Statement(delete(stops).where(_s.account == bindparam("account")))
_STOPPED = Statement(select(_s.account, _s.since).order_by(_s.account))


def stop(tx: Tx, account: str) -> bool:
    """
    Stop the sending of *account*, or of `ALL_ACCOUNTS`; return whether it was not so before.

    Every process hears of it within seconds (`delivery.stop_switch`). What waits stays as it is.
    """
    return _STOP.run(tx, account=account, now=tx.now) > 0


def resume(tx: Tx, account: str) -> bool:
    """
    Let *account*, or `ALL_ACCOUNTS`, send again; return whether that was stopped.

    An account that was stopped by itself stays so when `ALL_ACCOUNTS` is resumed.
    """
    was_stopped = _RESUME.run(tx, account=account) > 0
    if was_stopped:
        wake(tx, account)
    return was_stopped


def stopped(tx: Tx) -> dict[str, int]:
    """Return since when (UTC ms) each account is stopped, `ALL_ACCOUNTS` among them."""
    return {row[0]: row[1] for row in _STOPPED.rows(tx)}


def wake(tx: Tx, account: str) -> None:
    """Make due what waits for its account: for *account*, or for any if it is `ALL_ACCOUNTS`."""
    if account == ALL_ACCOUNTS:
        claims.unblock(tx)
    else:
        claims.wake_account(tx, account)
    claims.notify(tx)
