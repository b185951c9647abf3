"""
The keeper: the accounts of this process have the tokens that the store knows, and new ones in time.

It looks at the few rows of the store's accounts every few seconds, so that what another replica
or a command has changed is used without a restart and no message has to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import structlog

from ak_instagram import metrics
from ak_instagram.delivery.accounts import Accounts
from ak_instagram.jobs import run_logged
from ak_instagram.meta.graph.client import Profile
from ak_instagram.settings.model import Account
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.accounts import rows
from ak_instagram.store.verbs.accounts.rows import StoredAccount

from .life import digest, expiry, written
from .refreshing import LEASE_MS, Refreshes, by_origin, refresh, token_in_use
from .vault import Locked, Vault

log = structlog.get_logger()

LOOK = 3.0  # seconds between two looks at the store
LAST_DAYS = 2  # left, from which on it is an error
_SET_A_TOKEN = "set a new one, or run `token exchange`; what waits then goes out by itself"  # noqa: S105 - a sentence
_FORMER_KEY = (
    "put the former key after a comma in store.encryption_key; nothing is lost until then, and the"
    " settings' token is used if there is one"
)


class KeepersStore(Transactions, Protocol):
    """The store as the keeper sees it: it runs verbs and tells the time."""

    def now(self) -> int:
        """Return the database's time in UTC milliseconds."""
        ...


class TokenKeeper:
    """
    Keeps the tokens of *accounts*, of which the settings have those that are *configured*.

    Without a *vault* tokens are not refreshed, and only their age is known. *on_change* is
    awaited with the id of each account that got a name or another token. An account that was
    connected asks the agent called *agent*.
    """

    def __init__(
        self,
        store: KeepersStore,
        calls: Refreshes,
        accounts: Accounts,
        configured: Sequence[Account],
        vault: Vault | None,
        on_change: Callable[[str], Awaitable[None]],
        *,
        agent: str | None = None,
    ) -> None:
        self._store = store
        self._calls = calls
        self._accounts = accounts
        self._configured = by_origin(configured)
        self._vault = vault
        self._on_change = on_change
        self._agent = agent
        self._seen: set[str] = set()
        self._applied: dict[str, StoredAccount] = {}
        self._tokens: dict[str, str] = {}  # in use, by account, unless it is the settings' one
        self._warned: dict[str, tuple[str, int | None]] = {}

    async def run(self, every: float = LOOK) -> None:
        """Look *every* so many seconds, and when there is news of the accounts; never return."""
        while True:
            news = self._accounts.news
            news.clear()
            await run_logged(self.look(), failure="token.look_failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), every)

    async def look(self) -> None:
        """Note which accounts there are, use what the store has of them, refresh what is due."""
        await self._see()
        await self.apply()
        vault = self._vault
        if vault is not None and (due := await self._store.run(rows.lease_due, LEASE_MS)):
            await asyncio.gather(*(self._refresh(vault, row) for row in due))
            await self.apply()

    async def _see(self) -> None:
        """Note each account that Meta has named since, by the token of the settings."""
        for each in self._accounts.identified():
            origin, account_id = digest(each.account.access_token), each.profile.user_id
            if origin in self._configured and origin not in self._seen:
                expires = not each.account.is_unified
                name = each.profile.username
                await self._store.run(rows.see, account_id, name, origin, expires=expires)
                self._seen.add(origin)
                await self._on_change(account_id)  # what waited for its name goes on

    async def apply(self) -> None:
        """Use the tokens that the store has now; warn of those that end."""
        doubts = self._accounts.doubts()
        found = {row.account: row for row in await self._store.run(rows.load)}
        for row in found.values():
            if row != self._applied.get(row.account):
                await self._apply(row)
        self._applied = found
        self._accounts.settle(doubts)
        now = self._store.now()
        for row in found.values():
            self._tell_end(row, now)

    async def _apply(self, row: StoredAccount) -> None:
        """Use *row*, which has changed."""
        settings = self._configured.get(row.origin or "")
        try:
            used = token_in_use(row, self._configured, self._vault)
        except Locked as locked:
            log.error("token.locked", account=row.account, reason=str(locked), fix=_FORMER_KEY)
            if settings is None:
                self._accounts.hold(row.account, f"its token can't be read: {locked}")
            return
        if used is None:
            if row.account in self._tokens and row.disconnected_at is not None:
                self._forget(row.account)
            return
        if used.token == self._tokens.get(row.account, settings and settings.access_token):
            return
        account = replace(
            settings or Account(used.token, agent=self._agent),
            access_token=used.token,
            account_id=row.account,
        )
        profile = Profile(row.account, row.account, row.username)
        self._accounts.adopt(profile, account, instead_of=settings)
        self._tokens[row.account] = used.token
        log.info("token.used", account=row.account, expires=written(row.expires_at))
        await self._on_change(row.account)
        await self._seal_anew(row)

    def _forget(self, account_id: str) -> None:
        """Answer for *account_id*, which was connected, no more."""
        self._accounts.remove(account_id)
        self._tokens.pop(account_id, None)
        with suppress(KeyError):
            metrics.TOKEN_EXPIRES.remove(account_id)
        log.warning("account.disconnected", account=account_id)

    async def _seal_anew(self, row: StoredAccount) -> None:
        """Encrypt the token of *row* with the first key, so that a former one can be taken out."""
        vault, sealed = self._vault, row.sealed
        if vault is not None and sealed is not None and not vault.is_sealed_anew(sealed):
            anew = vault.seal(row.account, vault.open(row.account, sealed))
            await self._store.run(rows.reseal, row.account, sealed, anew)

    async def _refresh(self, vault: Vault, row: StoredAccount) -> None:
        """Refresh the token of *row*, whose lease we have, if it is one that we know."""
        try:
            used = token_in_use(row, self._configured, vault)
        except Locked:
            used = None
        if used is None:
            await self._store.run(rows.release, row.account)
        else:
            await refresh(self._store, self._calls, vault, row, used.token, self._store.now())

    def _tell_end(self, row: StoredAccount, now: int) -> None:
        """Set the metric of *row*'s token; log once that it ends within 10, 5, 2 days, or has."""
        settings = self._configured.get(row.origin or "")
        if settings is None and not row.is_connected:
            return
        expires = settings is None or not settings.is_unified
        end = expiry(row.first_seen_at, row.expires_at, expires=expires)
        if end is None:
            return
        metrics.TOKEN_EXPIRES.labels(row.account).set(end.at / 1000)
        warning, token = end.warning(now), row.sealed or row.origin or ""
        before = self._warned.get(row.account)
        if before is None:
            log.info("token.seen", account=row.account, at=written(end.at), is_known=end.is_known)
        self._warned[row.account] = (token, warning)
        if before is None and self._vault is None:
            log.warning(
                "token.not_refreshed",
                account=row.account,
                reason="store.encryption_key is not set, and a new token could not be kept",
                fix=f"set AK_STORE__ENCRYPTION_KEY, or a new token before {written(end.at)}",
            )
        if warning is None or before == (token, warning):
            return
        facts = {
            "account": row.account,
            "at": written(end.at),
            "is_known": end.is_known,
            "reason": row.error,
            "next_try": written(row.refresh_at if self._vault else None),
            "fix": _SET_A_TOKEN,
        }
        if warning == 0:
            log.error("token.expired", **facts)
        elif warning > LAST_DAYS:
            log.warning("token.expires", **facts)
        else:
            log.error("token.expires", **facts)
