"""The accounts that the service answers for, found by the ids that webhooks carry."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from ak_instagram.backoff import Backoff
from ak_instagram.errors import Transient
from ak_instagram.meta.graph import Profile
from ak_instagram.meta.graph_errors import GraphError
from ak_instagram.settings.model import Account

log = structlog.get_logger()

TIMEOUT = 10.0  # seconds
_RETRY = Backoff(first=2, factor=2, longest=300)


class Directory(Protocol):
    """The part of the Graph client that knows whose token it is."""

    async def me(self, token: str, timeout: float) -> Profile:
        """Return the token's account."""
        ...


@dataclass(frozen=True, slots=True)
class IdentifiedAccount:
    """An account of which Meta has said whose it is."""

    account: Account
    profile: Profile


class Accounts:
    """
    Finds accounts by id, and asks Meta for the ids that are not known.

    Webhooks carry `user_id` of `/me`, but people configure its `id` as well: both
    count. Nothing waits for the asking: a single account answers for everything
    until its ids are known.
    """

    def __init__(self, accounts: Sequence[Account], graph: Directory) -> None:
        self._accounts = tuple(accounts)
        self._graph = graph
        self._unasked = list(accounts)
        self._by_id = {it.account_id: it for it in accounts if it.account_id}
        self._strangers: set[str] = set()
        self._identified: list[IdentifiedAccount] = []

    def find(self, account_id: str) -> Account | None:
        """
        Return the account whose webhooks carry *account_id*, `None` if it is not ours.

        Raises `errors.Transient` while that can't be told.
        """
        known = self._by_id.get(account_id)
        if known is not None:
            return known
        if self._unasked and len(self._accounts) == 1:
            return self._accounts[0]
        if self._unasked:
            raise Transient("Meta has not said yet which accounts the tokens belong to")
        if account_id not in self._strangers:
            self._strangers.add(account_id)
            log.warning(
                "account.not_configured",
                account=account_id,
                fix="add it to instagram.accounts, or unsubscribe it from this app's webhooks",
            )
        return None

    def identified(self) -> tuple[IdentifiedAccount, ...]:
        """Return the accounts of which Meta has said whose they are."""
        return tuple(self._identified)

    async def learn(self) -> None:
        """Ask for the ids until all are known; never return."""
        failures = 0
        while self._unasked:
            failures += 1
            await asyncio.gather(*(self._ask(account) for account in list(self._unasked)))
            if self._unasked:
                await asyncio.sleep(_RETRY.wait(failures))
        await asyncio.Event().wait()

    async def _ask(self, account: Account) -> None:
        try:
            profile = await self._graph.me(account.access_token, TIMEOUT)
        except GraphError as exc:
            log.warning("account.lookup_failed", reason=str(exc), configured_id=account.account_id)
            return
        self._unasked.remove(account)
        self._identified.append(IdentifiedAccount(account, profile))
        for known in (profile.user_id, profile.id):
            if known:
                self._by_id[known] = account
        log.info("account.identified", account=profile.user_id, username=profile.username)
