"""
Reports on accounts: each one's token, where it comes from, and how it and its messages fare.

What is asked is the settings and the store; nobody asks Meta.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from ak_instagram.errors import StoreUnavailable
from ak_instagram.settings.model import Account, Settings
from ak_instagram.store.database import Transactions
from ak_instagram.store.maintenance import open_for_reading
from ak_instagram.store.verbs.accounts import rows
from ak_instagram.store.verbs.accounts.rows import AccountBacklog, StoredAccount

from .life import DAY, digest, expiry, masked, written
from .refreshing import accounts_in_use, by_origin, token_in_use
from .vault import Locked, Vault


@dataclass(frozen=True, slots=True)
class AccountReport:
    """
    An account and its token, which is masked; *origin* is the digest of the settings' one.

    *account* is `None` while nobody knows the id. *source* is where it is from, *stored* says
    that its token is one that was refreshed or exchanged and is in the store. Times are UTC
    ms: *seen_at* is when it was first used, *expires_at* when it ends at the latest, or for
    sure if *expiry_known*; `None` is never, or nobody knows. *refresh_at* is the next refresh,
    *error* why the last one did not work. *state* is the worst that is true.
    """

    account: str | None
    username: str
    login: str
    source: Literal["settings", "connected"]
    agent: str | None
    state: Literal["ok", "new", "expires", "expired", "locked", "disconnected"]
    token: str
    origin: str | None = None
    stored: bool = False
    seen_at: int | None = None
    issued_at: int | None = None
    expires_at: int | None = None
    expiry_known: bool = False
    refresh_at: int | None = None
    failures: int = 0
    error: str | None = None
    backlog: AccountBacklog = field(default_factory=AccountBacklog)

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything about it."""
        is_stopped = self.backlog.stopped > 0 or self.backlog.dead > 0
        return self.state in ("ok", "new") and self.error is None and not is_stopped

    def to_json(self) -> dict[str, object]:
        """Return it with its backlog as one flat object."""
        facts = asdict(self)
        facts.pop("origin")
        return {**facts, **facts.pop("backlog"), "ok": self.is_well}

    def token_lines(self, now: int) -> list[str]:
        """Return what people read about its token."""
        kept = {True: "refreshed, in the store", False: "as set in the settings"}[self.stored]
        if self.source == "connected":
            kept = "connected by its owner, in the store"
        lines = [f"token     {self.token} ({self.login} login), {kept}"]
        since = self.issued_at if self.issued_at is not None else self.seen_at
        if since is not None:
            word = "made" if self.issued_at is not None else "first seen"
            lines.append(f"age       {word} {(now - since) // DAY} days ago, {written(since)}")
        if self.expires_at is not None:
            surely = "" if self.expiry_known else " at the latest: Meta has not said when"
            lines.append(f"expires   {written(self.expires_at)}{surely}")
        elif self.login == "unified":
            lines.append("expires   not by itself, as far as is known")
        if self.refresh_at is not None:
            lines.append(f"refresh   {written(self.refresh_at)}")
        if self.error:
            lines.append(f"failed    {self.failures} times: {self.error}")
        if self.state == "locked":
            lines.append("locked    the key that encrypted it is not in store.encryption_key")
        return lines


async def report(
    store: Transactions | None, configured: Sequence[Account], vault: Vault | None, now: int
) -> list[AccountReport]:
    """
    Return all accounts: those of the settings first, then those that were connected.

    Without a *store*, what the settings say alone. *now* is in UTC ms.
    """
    known = await store.run(rows.load) if store is not None else ()
    waits = await store.run(rows.backlogs) if store is not None else {}
    origins, by_row = by_origin(configured), {row.origin: row for row in known if row.origin}
    reports = [
        _of_settings(account, by_row.get(origin), origins, vault, now)
        for origin, account in origins.items()
    ]
    reports += [_of_connected(row, vault, now) for row in known if row.connected_at is not None]
    return [
        replace(each, backlog=waits.get(each.account or "", AccountBacklog())) for each in reports
    ]


async def current_accounts(settings: Settings) -> tuple[Account, ...]:
    """
    Return the accounts of *settings* and those connected, each with the token in use.

    Those of the settings alone if the store can't be read.
    """
    keys = settings.store.encryption_key
    configured = settings.instagram.all_accounts
    try:
        async with open_for_reading(settings.store.url) as store:
            known = await store.run(rows.load)
    except StoreUnavailable:
        return configured
    return accounts_in_use(known, configured, Vault(keys) if keys else None)


def _of_settings(
    account: Account,
    row: StoredAccount | None,
    configured: Mapping[str, Account],
    vault: Vault | None,
    now: int,
) -> AccountReport:
    """Return what is known of *account*, of which the store may have a *row*."""
    if row is None:
        return AccountReport(
            account=account.account_id,
            username="",
            login=account.login,
            source="settings",
            agent=account.agent,
            state="new",
            token=masked(account.access_token),
            origin=digest(account.access_token),
        )
    token, stored, locked = account.access_token, False, False
    try:
        if used := token_in_use(row, configured, vault):
            token, stored = used.token, used.is_stored
    except Locked:
        locked = True
    return _told(row, account, token, now, stored=stored, locked=locked)


def _of_connected(row: StoredAccount, vault: Vault | None, now: int) -> AccountReport:
    """Return what is known of an account that was connected."""
    try:
        used = token_in_use(row, {}, vault)
    except Locked:
        return _told(row, None, "", now, stored=True, locked=True)
    return _told(row, None, used.token if used else "", now, stored=used is not None, locked=False)


def _told(
    row: StoredAccount, account: Account | None, token: str, now: int, *, stored: bool, locked: bool
) -> AccountReport:
    """Return the report on *row*, whose token in use is *token*."""
    expires = account is None or not account.is_unified
    end = expiry(row.first_seen_at, row.expires_at, expires=expires)
    warning = end.warning(now) if end else None
    state: Literal["ok", "expires", "expired", "locked", "disconnected"] = "ok"
    if account is None and row.disconnected_at is not None:
        state, end = "disconnected", None
    elif locked:
        state = "locked"
    elif warning is not None:
        state = "expires" if warning else "expired"
    return AccountReport(
        account=row.account,
        username=row.username,
        login=account.login if account else "instagram",
        source="settings" if account else "connected",
        agent=account.agent if account else None,
        state=state,
        token=masked(token) if token else "",
        origin=row.origin,
        stored=stored,
        seen_at=row.first_seen_at,
        issued_at=row.issued_at,
        expires_at=end.at if end else None,
        expiry_known=end.is_known if end else False,
        refresh_at=row.refresh_at,
        failures=row.failures,
        error=row.error,
    )
