"""
Accounts: the age of each one's token, and the token that has taken the settings' one's place.

Replicas share these rows. Which of them refreshes a token is decided by a lease in its row, so
that no two do.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BindParameter, bindparam, or_, select, text, update

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import accounts
from ak_instagram.store.statement import Statement

HOUR = 3_600_000  # milliseconds
DAY = 24 * HOUR
YOUNGEST = DAY  # the age at which Meta refreshes a token
_FREE = 0  # a lease that has ended


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """
    An account as the store knows it; times are UTC ms, `None` where nobody knows or never.

    *origin* is the digest of the settings' token that its own descends from, `None` if it was
    connected. *sealed* is the encrypted token that is used instead, if there is one. The token
    in use expires at *expires_at* and is to be refreshed at *refresh_at*; the last *failures*
    tries did not work because of *error*.
    """

    account: str
    username: str
    origin: str | None
    sealed: str | None
    first_seen_at: int
    issued_at: int | None
    expires_at: int | None
    refresh_at: int | None
    failures: int
    error: str | None
    connected_at: int | None
    disconnected_at: int | None

    @property
    def is_connected(self) -> bool:
        """Whether its owner has connected it, and it is in no settings."""
        return self.connected_at is not None and self.disconnected_at is None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that is to be kept, *sealed*; times are UTC ms, *refresh_at* `None` for never."""

    sealed: str
    issued_at: int
    expires_at: int | None
    refresh_at: int | None


_a = accounts.c
_row = tuple(_a[name] for name in StoredAccount.__slots__)
_is_account = _a.account == bindparam("of")

_ALL = Statement(select(*_row).order_by(_a.account))
_ONE = Statement(select(*_row).where(_is_account).with_for_update())
# With another origin the operator has set another token, and what was known is of the old one.
_SEE = Statement(
    text(
        """
    INSERT INTO accounts (account, username, origin, first_seen_at, refresh_at)
    VALUES (:account, :username, :origin, :now, :refresh_at)
    ON CONFLICT (account) DO UPDATE SET
        username = excluded.username, origin = excluded.origin, sealed = NULL,
        first_seen_at = excluded.first_seen_at, issued_at = NULL, expires_at = NULL,
        refresh_at = excluded.refresh_at, lease_until = 0, failures = 0, error = NULL,
        connected_at = NULL, disconnected_at = NULL
        WHERE accounts.origin IS NULL OR accounts.origin <> excluded.origin
    """
    )
)
_is_free = _a.lease_until <= bindparam("now")
_until: BindParameter[int] = bindparam("until")
_LEASE_DUE = Statement(
    update(accounts)
    .where(_a.refresh_at <= bindparam("now"), _is_free, _a.disconnected_at.is_(None))
    .values(lease_until=_until)
    .returning(*_row)
)
_LEASE = Statement(
    update(accounts).where(_is_account, _is_free).values(lease_until=_until).returning(*_row)
)
# Not if it has been disconnected meanwhile, which is to be forgotten.
_KEEP = Statement(
    update(accounts)
    .where(_is_account, _a.disconnected_at.is_(None))
    .values(
        sealed=bindparam("sealed"),
        issued_at=bindparam("issued_at"),
        expires_at=bindparam("expires_at"),
        refresh_at=bindparam("refresh_at"),
        lease_until=_FREE,
        failures=0,
        error=None,
    )
)
_FAILED = Statement(
    update(accounts)
    .where(_is_account)
    .values(
        refresh_at=bindparam("refresh_at"),
        lease_until=_FREE,
        failures=_a.failures + 1,
        error=bindparam("error"),
    )
)
_RELEASE = Statement(update(accounts).where(_is_account).values(lease_until=_FREE))
_RESEAL = Statement(
    update(accounts)
    .where(_is_account, _a.sealed == bindparam("was"))
    .values(sealed=bindparam("sealed"))
)
_CONNECT = Statement(
    text(
        """
    INSERT INTO accounts (account, username, sealed, first_seen_at, issued_at, expires_at,
                          refresh_at, connected_at)
    VALUES (:account, :username, :sealed, :now, :issued_at, :expires_at, :refresh_at, :now)
    ON CONFLICT (account) DO UPDATE SET
        username = excluded.username, sealed = excluded.sealed,
        issued_at = excluded.issued_at, expires_at = excluded.expires_at,
        refresh_at = excluded.refresh_at, lease_until = 0, failures = 0, error = NULL,
        connected_at = excluded.connected_at, disconnected_at = NULL
    """
    )
)
_DISCONNECT = Statement(
    update(accounts)
    .where(_is_account, or_(_a.disconnected_at.is_(None), _a.sealed.is_not(None)))
    .values(sealed=None, refresh_at=None, lease_until=_FREE, disconnected_at=bindparam("now"))
)


def load(tx: Tx) -> tuple[StoredAccount, ...]:
    """Return all accounts that were ever seen, by id."""
    return tuple(StoredAccount(*row) for row in _ALL.rows(tx))


def find(tx: Tx, account: str) -> StoredAccount | None:
    """Return *account*, `None` if it was never seen."""
    row = _ONE.row(tx, of=account)
    return StoredAccount(*row) if row else None


def see(tx: Tx, account: str, username: str, origin: str, *, expires: bool) -> StoredAccount:
    """
    Note that *account* is used with the settings' token whose digest is *origin*; return it.

    The first time, its age is not known, and begins to count. If it *expires* it is due for a
    refresh when Meta surely takes one; that tells when it expires.
    """
    refresh_at = tx.now + YOUNGEST if expires else None
    known = {"account": account, "username": username, "origin": origin}
    _SEE.run(tx, **known, now=tx.now, refresh_at=refresh_at)
    [row] = _ONE.rows(tx, of=account)
    return StoredAccount(*row)


def lease_due(tx: Tx, lease_ms: int) -> tuple[StoredAccount, ...]:
    """Take the accounts whose tokens are to be refreshed, for *lease_ms*; nobody else gets them."""
    rows = _LEASE_DUE.rows(tx, now=tx.now, until=tx.now + lease_ms)
    return tuple(StoredAccount(*row) for row in rows)


def lease(tx: Tx, account: str, lease_ms: int) -> StoredAccount | None:
    """Take *account* for *lease_ms*, whether or not it is due; `None` if somebody else has it."""
    row = _LEASE.row(tx, of=account, now=tx.now, until=tx.now + lease_ms)
    return StoredAccount(*row) if row else None


def keep(tx: Tx, account: str, token: NewToken) -> bool:
    """Keep *token* as the one of *account*, whose lease ends; not if that was disconnected."""
    kept = _KEEP.run(
        tx,
        of=account,
        sealed=token.sealed,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        refresh_at=token.refresh_at,
    )
    return kept > 0


def note_failure(tx: Tx, account: str, error: str, refresh_at: int | None) -> None:
    """Note that refreshing did not work, and when it is tried again; the token stays."""
    _FAILED.run(tx, of=account, error=error, refresh_at=refresh_at)


def release(tx: Tx, account: str) -> None:
    """End the lease of *account* with nothing done."""
    _RELEASE.run(tx, of=account)


def reseal(tx: Tx, account: str, was: str, sealed: str) -> bool:
    """Replace the sealed token *was* by itself with another key, unless it has changed."""
    return _RESEAL.run(tx, of=account, was=was, sealed=sealed) > 0


def connect(tx: Tx, account: str, username: str, token: NewToken) -> None:
    """Keep *account*, which its owner has connected, with its token."""
    _CONNECT.run(
        tx,
        account=account,
        username=username,
        now=tx.now,
        sealed=token.sealed,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        refresh_at=token.refresh_at,
    )


def disconnect(tx: Tx, account: str) -> bool:
    """
    Forget the token of *account*; return whether there was anything to do.

    One that is connected is not answered for any more, on every replica within seconds. One
    that is in the settings goes by the token there.
    """
    return _DISCONNECT.run(tx, of=account, now=tx.now) > 0


# --- what waits for each ----------------------------------------------------

_WAITING = Statement(
    text(
        """
    SELECT account, count(*), coalesce(sum(CASE WHEN waits_for = 'account' THEN 1 ELSE 0 END), 0)
    FROM conversations WHERE claimable_at IS NOT NULL GROUP BY account
    """
    )
)
_PARKED = Statement(
    text("SELECT account, count(*) FROM outbox WHERE status = 'parked' GROUP BY account")
)
_DEAD = Statement(
    text("SELECT account, count(DISTINCT turn) FROM events WHERE status = 'dead' GROUP BY account")
)


@dataclass(frozen=True, slots=True)
class AccountBacklog:
    """
    What waits for an account, in numbers.

    *waiting* conversations have something to do, of which *stopped* wait for the account
    itself: its token is dead, or Meta restricts it. *parked* pieces wait for their person,
    *dead* turns for an operator.
    """

    waiting: int = 0
    stopped: int = 0
    parked: int = 0
    dead: int = 0


def backlogs(tx: Tx) -> dict[str, AccountBacklog]:
    """Return what waits for each account for which anything does."""
    waiting = {account: (number, stopped) for account, number, stopped in _WAITING.rows(tx)}
    parked, dead = ({row[0]: row[1] for row in each.rows(tx)} for each in (_PARKED, _DEAD))
    return {
        account: AccountBacklog(
            *waiting.get(account, (0, 0)), parked.get(account, 0), dead.get(account, 0)
        )
        for account in {*waiting, *parked, *dead}
    }
