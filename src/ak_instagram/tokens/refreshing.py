"""
Refreshing: a token is exchanged for a new one while it lives, and the new one is kept.

Whoever does so holds the lease of the account's row. The token that is used stays until the
next one is durable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.meta.graph.token_calls import IssuedToken, why_refused
from ak_instagram.settings.model import Account
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.accounts import rows
from ak_instagram.store.verbs.accounts.rows import NewToken, StoredAccount

from .life import DAY, LIFE, digest, half_life, retry_at, written
from .vault import Locked, Vault

log = structlog.get_logger()

LEASE_MS = 60_000  # longer than the call may take
_EXPIRED = (190, 463)


class Refreshes(Protocol):
    """The part of the Graph client that refreshes tokens."""

    async def refresh(self, token: str) -> IssuedToken:
        """Return a new token for *token*."""
        ...


@dataclass(frozen=True, slots=True)
class TokenInUse:
    """The token that an account sends with, and whether the store has it or the settings."""

    token: str = field(repr=False)
    is_stored: bool


def by_origin(accounts: Iterable[Account]) -> dict[str, Account]:
    """Return the *accounts* of the settings by the digests of their tokens."""
    return {digest(each.access_token): each for each in accounts}


def token_in_use(
    row: StoredAccount, configured: Mapping[str, Account], vault: Vault | None
) -> TokenInUse | None:
    """
    Return the token of *row*, `None` if it has none or if its origin is not *configured* here.

    Raises `Locked` if it is in the store and can't be opened.
    """
    settings = configured.get(row.origin or "")
    if settings is None and (row.origin is not None or not row.is_connected):
        return None
    if row.sealed is not None:
        if vault is None:
            raise Locked("it is encrypted, and store.encryption_key is not set")
        return TokenInUse(vault.open(row.account, row.sealed), is_stored=True)
    return TokenInUse(settings.access_token, is_stored=False) if settings else None


def accounts_in_use(
    known: Iterable[StoredAccount], configured: Sequence[Account], vault: Vault | None
) -> tuple[Account, ...]:
    """
    Return the accounts *configured*, then those connected, each with the token in use.

    *known* are the store's. One whose token can't be read has that of the settings, or is not
    there.
    """
    found: dict[Account, Account] = {each: each for each in configured}
    settings = by_origin(configured)
    for row in known:
        try:
            used = token_in_use(row, settings, vault)
        except Locked:
            continue
        if used is None:
            continue
        account = settings.get(row.origin or "")
        renewed = replace(
            account or Account(used.token), access_token=used.token, account_id=row.account
        )
        found[account or renewed] = renewed
    return tuple(found.values())


def new_token(vault: Vault, account: str, issued: IssuedToken, now: int) -> NewToken:
    """Return what is kept of a token that was *issued* to *account* just *now* (UTC ms)."""
    expires_at = now + (issued.seconds * 1000 if issued.seconds else LIFE)
    return NewToken(
        sealed=vault.seal(account, issued.token),
        issued_at=now,
        expires_at=expires_at,
        refresh_at=half_life(now, expires_at),
    )


async def refresh(
    store: Transactions, calls: Refreshes, vault: Vault, row: StoredAccount, token: str, now: int
) -> str | None:
    """
    Refresh *token* of *row*, whose lease we have; return why that did not work, if it did not.

    *now* is the store's time in UTC ms. A failure is noted, with the time of the next try.
    """
    try:
        issued = await calls.refresh(token)
    except GraphError as error:
        return await _failed(store, row, error, now)
    new = new_token(vault, row.account, issued, now)
    if not await store.run(rows.keep, row.account, new):
        return "it was disconnected meanwhile"
    log.info(
        "token.refreshed",
        account=row.account,
        expires=written(new.expires_at),
        next_refresh=written(new.refresh_at),
    )
    return None


async def _failed(store: Transactions, row: StoredAccount, error: GraphError, now: int) -> str:
    """Note that *row*'s token could not be refreshed, say when it is tried again, return why."""
    why = why_refused(error)
    if (error.code, error.subcode) == _EXPIRED:
        again = None
    elif error.error_class in (ErrorClass.TRANSIENT, ErrorClass.RATE_LIMITED):
        again = retry_at(now, row.failures + 1, row.expires_at)
    else:
        # A verdict, but not always on the token: one of less than a day is refused as well.
        again = now + DAY
    await store.run(rows.note_failure, row.account, why, again)
    log.warning("token.refresh_failed", account=row.account, reason=why, next_try=written(again))
    return why
