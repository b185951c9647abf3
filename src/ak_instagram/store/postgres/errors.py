"""PostgreSQL's refusals: which to try again, which mean that it is away, and which are bugs."""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ak_instagram.errors import StoreUnavailable

log = structlog.get_logger()

# Serialization failure, deadlock, idle in a transaction for too long: try again.
_UNDONE = frozenset({"40001", "40P01", "25P03"})
# Connection, read-only server, resources (a full disk), shutdown, system error.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_UNAVAILABLE = frozenset({"08", "25", "53", "57", "58"})
_SHUT_DOWN = frozenset({"57P01", "57P02", "57P03"})
_LOCK_TIMEOUT = "55P03"
_Driver = AsyncAdapt_asyncpg_dbapi.Error  # what statements raise, which run on the driver

REFUSED = (DBAPIError, _Driver, PoolTimeout, OSError, TimeoutError)


class CutOff(Exception):
    """The line was lost before the commit, so that nothing was done."""


def is_passing(exc: BaseException) -> bool:
    """Whether nothing was done and the next try may well work."""
    return isinstance(exc, CutOff) or not _UNDONE.isdisjoint(_sqlstates(exc))


def is_lost(exc: BaseException) -> bool:
    """Whether it is the connection that has failed, and not what was asked for."""
    if isinstance(exc, (PoolTimeout, TimeoutError)):
        return False
    state = _sqlstate(exc)
    return state is None or state[:2] == "08" or state in _SHUT_DOWN


def is_bug(exc: BaseException) -> bool:
    """Whether the server understood and said no: it would do so again."""
    state = _sqlstate(exc)
    return state is not None and state[:2] not in _UNAVAILABLE and state not in _UNDONE


def is_held_up(exc: BaseException) -> bool:
    """Whether others' locks were in the way of a migration, so that nothing was done."""
    return is_passing(exc) or _sqlstate(exc) == _LOCK_TIMEOUT


def _sqlstate(exc: BaseException) -> str | None:
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    return getattr(cause, "sqlstate", None)


def _sqlstates(exc: BaseException | None) -> Iterator[str | None]:
    """
    Yield the state of *exc* and those of its causes.

    A commit that finds its session ended says first that the connection is gone, and then why.
    """
    while exc is not None:
        yield getattr(exc, "sqlstate", None)
        exc = exc.__cause__


def refusal(exc: BaseException) -> StoreUnavailable:
    """Return *exc* as the store's error, and log it."""
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    # The driver's own name for it says more than SQLAlchemy's.
    reason = type(getattr(cause, "__cause__", None) or cause).__name__
    log.error("store.refused", reason=reason, sqlstate=_sqlstate(exc))
    return StoreUnavailable(reason)
