"""The accounts that the service answers for, found by the ids that webhooks carry."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from ak_instagram.backoff import Backoff
from ak_instagram.errors import Transient
from ak_instagram.meta.graph.client import Profile
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.settings.logins import HOSTS, LOOKS
from ak_instagram.settings.model import Account

log = structlog.get_logger()

TIMEOUT = 10.0  # seconds
_BAD_TOKEN = 190
_LONG = 300.0  # seconds until something is tried again that an operator has to mend
_ABSENT = 15.0  # seconds for which an id is taken for nobody's once it was looked for
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

    Accounts may come, go, and get other tokens while the service runs; see `adopt`. If they
    *may_grow*, one that nobody knows waits until somebody has looked for it. *news* is set
    when Meta has named one, or somebody has asked for one that nobody knows.
    """

    def __init__(
        self, accounts: Sequence[Account], graph: Directory, *, may_grow: bool = False
    ) -> None:
        self._accounts = list(accounts)
        self._graph = graph
        self._may_grow = may_grow
        self._unasked = list(accounts)
        self._by_id = {it.account_id: it for it in accounts if it.account_id}
        self._profiles: dict[str, Profile] = {}
        self._strangers: set[str] = set()
        # The ids that webhooks carry, by all that Meta calls the accounts.
        self._webhook_ids = {it: it for it in self._by_id}
        self._held: dict[str, str] = {}
        self._patience = 0.0  # seconds until it is worth asking again what Meta has not said
        self.news = asyncio.Event()
        self._doubts: set[str] = set()
        self._absent: dict[str, float] = {}

    def find(self, account_id: str) -> Account | None:
        """
        Return the account whose webhooks carry *account_id*, `None` if it is not ours.

        Raises `errors.Transient` while that can't be told.
        """
        known = self._by_id.get(account_id)
        if known is not None:
            return known
        if account_id in self._held:
            raise Transient(self._held[account_id], _LONG)
        if self._unasked and len(self._accounts) == 1 and not self._may_grow:
            return self._accounts[0]
        if self._unasked:
            reason = "Meta has not said yet which accounts the tokens belong to"
            raise Transient(reason, self._patience)
        if self._may_grow and self._absent.get(account_id, 0.0) < time.monotonic():
            self._doubts.add(account_id)
            self.news.set()
            raise Transient("it may be an account that was connected just now")
        if account_id not in self._strangers:
            self._strangers.add(account_id)
            log.warning(
                "account.not_configured",
                account=account_id,
                fix="add it to instagram.accounts, or unsubscribe it from this app's webhooks",
            )
        return None

    def identified(self) -> tuple[IdentifiedAccount, ...]:
        """Return the accounts of which Meta has said whose they are, as they are used now."""
        return tuple(
            IdentifiedAccount(self._by_id[account_id], profile)
            for account_id, profile in self._profiles.items()
            if account_id in self._by_id
        )

    def current(self) -> tuple[Account, ...]:
        """Return all accounts as they are used now."""
        return tuple(self._accounts)

    def adopt(self, profile: Profile, account: Account, instead_of: Account | None = None) -> None:
        """
        Use *account* from now on for what *profile* names.

        *instead_of* is what was used until now, for one whose id Meta has not said yet.
        """
        old = self._by_id.get(profile.user_id) or instead_of
        if old is None:
            self._accounts.append(account)
        else:
            self._accounts = [account if it == old else it for it in self._accounts]
            self._unasked = [account if it == old else it for it in self._unasked]
            for known in [name for name, it in self._by_id.items() if it == old]:
                self._by_id[known] = account
        self._by_id[profile.user_id] = account
        self._webhook_ids |= dict.fromkeys(
            filter(None, (profile.user_id, profile.id)), profile.user_id
        )
        self._profiles.setdefault(profile.user_id, profile)
        self._strangers.discard(profile.user_id)
        self._held.pop(profile.user_id, None)

    def hold(self, account_id: str, reason: str) -> None:
        """Let everything for *account_id* wait, because of *reason*, unless it can be used."""
        self._held[account_id] = reason

    def doubts(self) -> frozenset[str]:
        """Return the ids that somebody has asked for and nobody has looked for yet."""
        return frozenset(self._doubts)

    def settle(self, looked_for: Collection[str]) -> None:
        """Take the ids that were *looked_for*, and not adopted since, for no accounts of ours."""
        self._doubts -= set(looked_for)
        until = time.monotonic() + _ABSENT
        self._absent = dict.fromkeys(looked_for, until) | {
            it: end for it, end in self._absent.items() if end > time.monotonic()
        }

    def remove(self, account_id: str) -> None:
        """Use *account_id* no more."""
        old = self._by_id.pop(account_id, None)
        self._profiles.pop(account_id, None)
        self._webhook_ids = {it: id_ for it, id_ in self._webhook_ids.items() if id_ != account_id}
        self._held.pop(account_id, None)
        self._accounts = [it for it in self._accounts if it != old]
        self._unasked = [it for it in self._unasked if it != old]

    def webhook_id(self, any_id: str) -> str | None:
        """
        Return the id that webhooks carry of the account that Meta somewhere calls *any_id*.

        `None` if that is none of ours. Raises `errors.Transient` while that can't be told.
        """
        for each in self.identified():
            if any_id in (each.profile.user_id, each.profile.id):
                return each.profile.user_id
        if any_id in (it.account_id for it in self._accounts):
            return any_id
        if self._unasked:
            raise Transient("Meta has not said yet which accounts the tokens belong to")
        return None

    async def learn(self) -> None:
        """Ask for the ids until all are known; never return."""
        failures = 0
        while self._unasked:
            failures += 1
            await asyncio.gather(*(self._ask(account) for account in list(self._unasked)))
            if self._unasked:
                self._patience = _RETRY.wait(failures)
                await asyncio.sleep(self._patience)
        await asyncio.Event().wait()

    async def _ask(self, account: Account) -> None:
        try:
            profile = await self._graph.me(account.access_token, TIMEOUT)
        except GraphError as exc:
            log.warning(
                "account.lookup_failed",
                reason=str(exc),
                configured_id=account.account_id,
                fix=_fix(account, exc),
            )
            return
        if account not in self._unasked:  # it has another token by now
            return
        self._unasked.remove(account)
        for known in (profile.user_id, profile.id):
            if known:
                self._by_id[known] = account
                self._webhook_ids[known] = profile.user_id
        self._profiles[profile.user_id] = profile
        self.news.set()
        log.info("account.identified", account=profile.user_id, username=profile.username)


def _fix(account: Account, error: GraphError) -> str:
    """Return what helps when Meta does not say whose the token of *account* is."""
    if error.error_class is not ErrorClass.AUTHORIZATION:
        return "nothing: it is asked again"
    if error.code == _BAD_TOKEN and error.subcode is None:
        login = account.login
        return (
            f"see that the whole token was copied, and that it is one of {login} login"
            f" ({LOOKS[login]}), which {HOSTS[login]} knows"
        )
    return "set a new token, or grant the permission that the reason names"
