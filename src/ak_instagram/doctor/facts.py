"""
Facts that checks share: each is asked for once, however many checks want it.

Nothing here changes anything: a token is never refreshed, and a SQLite file is opened for
reading alone, so that a service may work on it meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from sqlalchemy import func, make_url, select, text

from ak_instagram.meta.graph.account_calls import (
    AccountCalls,
    AccountFacts,
    AppWebhook,
    Subscription,
)
from ak_instagram.meta.graph.client import GraphClient
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.settings.model import Account, Settings
from ak_instagram.store.database import Tx
from ak_instagram.store.maintenance import open_for_reading
from ak_instagram.store.schema import echoes
from ak_instagram.store.verbs.backlog import Backlog, measure
from ak_instagram.store.verbs.operators import stops
from ak_instagram.tokens.report import AccountReport, report
from ak_instagram.tokens.vault import Vault

_T = TypeVar("_T")

META_WITHIN = 8.0  # seconds for one call
_SIGNATURES = re.compile(r'^ak_instagram_signatures_total\{secret="(\w+)"\} ([0-9.e+]+)$', re.M)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """
    A SQLite store's file; sizes are bytes.

    *exists* is false before the first start. *is_writable* is of the folder as well, where
    SQLite keeps its journal.
    """

    path: Path
    exists: bool
    is_writable: bool
    free: int
    wal: int


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """
    A store as it describes itself.

    *found* is its revision, `None` if nobody has used it yet, *newest* this version's.
    *backlog* is there if they agree. *ahead* is by how many ms the database's clock is ahead
    of this machine's. *server_version* is PostgreSQL's, such as 170004. *automatic* counts
    the latest messages that the account sent by itself. *stopped* are the accounts whose
    sending an operator has stopped.
    """

    found: str | None
    newest: str
    backlog: Backlog | None = None
    ahead: int = 0
    server_version: int | None = None
    automatic: int = 0
    stopped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """
    Additions to the checks, which cost something or take an address.

    *callback* is the webhook's public address, if it is to be tried; *ask_agent* is whether
    the agent is to be asked a question. *sources* say where each setting came from.
    """

    callback: str | None = None
    ask_agent: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)


class Facts:
    """
    The facts about one installation, over *session*; `close` it when the checks are done.

    *accounts* are those of the settings, unless others are given, as a service has them whose
    tokens have been renewed.
    """

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        request: CheckRequest | None = None,
        accounts: Sequence[Account] | None = None,
    ) -> None:
        self.settings = settings
        self.session = session
        self.request = request or CheckRequest()
        instagram = settings.instagram
        self.accounts = tuple(instagram.all_accounts if accounts is None else accounts)
        self.calls = AccountCalls(GraphClient.of(instagram, session))
        self._asked: dict[tuple[str, str], asyncio.Task[Any]] = {}

    async def close(self) -> None:
        """Break off what nobody waits for any more."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def account(self, account: Account) -> AccountFacts:
        """Return what Meta says of *account*; raises `GraphError`."""
        token = account.access_token
        return await self._once("me", token, lambda: self.calls.facts(token, META_WITHIN))

    async def subscriptions(self, account: Account) -> tuple[Subscription, ...]:
        """Return the apps that *account*'s webhooks go to; raises `GraphError`."""
        token = account.access_token
        return await self._once(
            "subscribed_apps", token, lambda: self.calls.subscriptions(token, META_WITHIN)
        )

    async def app_webhooks(self) -> Mapping[str, AppWebhook | None]:
        """Return the webhooks of the apps that the accounts are of, as far as Meta tells them."""
        return await self._once("app_webhooks", "", self._app_webhooks)

    async def _app_webhooks(self) -> Mapping[str, AppWebhook | None]:
        found: dict[str, AppWebhook | None] = {}
        for account in self.accounts:
            with suppress(GraphError):
                for app in await self.subscriptions(account):
                    for secret in self.settings.instagram.app_secrets:
                        if app.app_id and app.app_id not in found:
                            with suppress(GraphError):  # not the secret of this app
                                found[app.app_id] = await self.calls.app_webhook(
                                    app.app_id, secret, META_WITHIN
                                )
        return found

    async def store(self) -> StoreFacts:
        """Return what the store says; raises `errors.StoreUnavailable`."""
        return await self._once("store", "", lambda: read_store(self.settings.store.url))

    async def tokens(self) -> Mapping[str, AccountReport]:
        """Return what is known of the accounts' tokens, by their names in the store or masked."""
        return await self._once("tokens", "", self._tokens)

    async def _tokens(self) -> Mapping[str, AccountReport]:
        keys = self.settings.store.encryption_key
        vault, now = Vault(keys) if keys else None, time.time_ns() // 1_000_000
        configured = self.settings.instagram.all_accounts
        async with open_for_reading(self.settings.store.url) as store:
            found = await report(store, configured, vault, now)
        return {each.account or each.token: each for each in found}

    async def signatures(self) -> Mapping[str, float] | None:
        """
        Return how many webhooks each secret has signed, as the running service counts them.

        `none` is for those that no known secret signed. `None` if no service answers here.
        """
        return await self._once("signatures", "", self._signatures)

    async def _signatures(self) -> Mapping[str, float] | None:
        server = self.settings.server
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(server.host, server.host)  # noqa: S104 - compared with
        try:
            async with asyncio.timeout(2):
                async with self.session.get(f"http://{host}:{server.port}/metrics") as response:
                    told = await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
        return {secret: float(count) for secret, count in _SIGNATURES.findall(told)} or None

    async def _once(self, what: str, whose: str, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Return what *ask* returns, asked once for all who want to know."""
        task = self._asked.get((what, whose))
        if task is None:
            task = self._asked[what, whose] = asyncio.ensure_future(ask())
        # A check that gives up must not break it off for others.
        result: _T = await asyncio.shield(task)
        return result


def file_facts(url: str) -> FileFacts | None:
    """Return what the system says of the SQLite file in *url*, `None` for PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    path = Path(parsed.database or "")
    exists, folder = path.exists(), path.parent
    while not folder.exists():
        folder = folder.parent
    # The file itself is never opened here: closing it would release SQLite's locks.
    places = [folder, path] if exists else [folder]
    wal = Path(f"{path}-wal")
    return FileFacts(
        path,
        exists,
        all(os.access(place, os.W_OK) for place in places),
        shutil.disk_usage(folder).free,
        wal.stat().st_size if wal.exists() else 0,
    )


async def read_store(url: str) -> StoreFacts:
    """Return what the store behind *url* says; raises `errors.StoreUnavailable`."""
    # Here and not above: Alembic's folder is read, which commands have no need of.
    from ak_instagram.store.migrations import revisions

    async with open_for_reading(url, any_revision=True) as store:
        found, newest = await store.run(lambda tx: revisions(tx.connection))
        if found != newest:
            return StoreFacts(found, newest)
        return await store.run(_read, newest)


def _read(tx: Tx, newest: str) -> StoreFacts:
    """Return what a store of this version's revision says."""
    server_version = None
    if tx.connection.dialect.name == "postgresql":
        asked = tx.connection.execute(text("SELECT current_setting('server_version_num')::int"))
        server_version = asked.scalar_one()
    by_itself = select(func.count()).where(echoes.c.paused_until == 0)
    return StoreFacts(
        newest,
        newest,
        measure(tx),
        ahead=tx.now - time.time_ns() // 1_000_000,
        server_version=server_version,
        automatic=tx.connection.execute(by_itself).scalar_one(),
        stopped=tuple(stops.stopped(tx)),
    )
