"""`token`: see how old a token is, refresh it, or make a long-lived one of a login's."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import structlog

from ak_instagram.cli.shared import config_option, load_settings
from ak_instagram.errors import StoreUnavailable
from ak_instagram.settings.model import Account, Settings
from ak_instagram.store.database import Transactions

if TYPE_CHECKING:
    from ak_instagram.meta.graph.token_calls import TokenCalls
    from ak_instagram.tokens.report import AccountReport
    from ak_instagram.tokens.vault import Vault

NO_KEY = (
    "store.encryption_key (AK_STORE__ENCRYPTION_KEY) is not set, and a new token could not be kept;"
    " set it to the output of `openssl rand -base64 32`"
)
account_option = click.option("--account", help="Only of this professional account's id.")


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a command about tokens works with; without a service's store it has none."""

    settings: Settings
    store: Transactions | None
    calls: TokenCalls
    vault: Vault | None

    @property
    def configured(self) -> tuple[Account, ...]:
        """The accounts of the settings."""
        return self.settings.instagram.all_accounts

    async def reports(self, account: str | None = None) -> list[AccountReport]:
        """Return all accounts, or only *account*; a `ClickException` if that is none."""
        from ak_instagram.tokens.report import report

        found = await report(self.store, self.configured, self.vault, now_ms())
        chosen = [each for each in found if account in (None, each.account)]
        if account is not None and not chosen:
            raise click.ClickException(f"no account {account} is known; `accounts` lists them")
        return chosen


def now_ms() -> int:
    """Return the time in UTC ms."""
    return time.time_ns() // 1_000_000


def run_at_desk(
    config: Path | None, work: Callable[[Desk], Coroutine[Any, Any, int]], *, needs_store: bool
) -> int:
    """
    Return what *work* does; log to stderr.

    If it *needs_store*, one that can't be used ends the command with exit code 1 and a line.
    """
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    settings = load_settings(config)

    async def at_desk() -> int:
        async with open_desk(settings, needs_store=needs_store) as desk:
            return await work(desk)

    try:
        return asyncio.run(at_desk())
    except StoreUnavailable as exc:
        raise click.ClickException(f"the store can't be used: {exc}") from exc


@asynccontextmanager
async def open_desk(settings: Settings, *, needs_store: bool) -> AsyncIterator[Desk]:
    """Yield the desk, with the store as it is."""
    # Here and not above: they take longer to import than `--help` should.
    from contextlib import AsyncExitStack

    from ak_instagram.app import make_token_calls
    from ak_instagram.http_client import open_http_session
    from ak_instagram.store.maintenance import open_for_maintenance
    from ak_instagram.tokens.vault import Vault

    keys = settings.store.encryption_key
    proxies = settings.server.outgoing_proxies
    async with AsyncExitStack() as stack:
        store: Transactions | None = None
        try:
            store = await stack.enter_async_context(open_for_maintenance(settings.store.url))
        except StoreUnavailable:
            if needs_store:
                raise
        session = await stack.enter_async_context(open_http_session(outgoing_proxies=proxies))
        calls = make_token_calls(settings.instagram, session)
        yield Desk(settings, store, calls, Vault(keys) if keys else None)


@click.group()
def token() -> None:
    """Show, refresh or exchange the accounts' tokens."""


@token.command("show", epilog="Example: ak-instagram token show --json")
@account_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@config_option
@click.pass_context
def show(ctx: click.Context, account: str | None, as_json: bool, config: Path | None) -> None:
    """
    Show each token: where it comes from, its age, and when it ends.

    A token itself is masked. The exit code is 1 if one has ended, or can't be read. Meta is not
    asked.
    """

    async def work(desk: Desk) -> int:
        found = await desk.reports(account)
        for number, each in enumerate(found):
            if as_json:
                click.echo(json.dumps(each.to_json(), ensure_ascii=False))
                continue
            name = f"@{each.username}" if each.username else "not used yet"
            click.echo(f"{(number and chr(10)) or ''}{each.account or 'no id yet'}  {name}")
            click.echo("\n".join(f"  {line}" for line in each.token_lines(now_ms())))
        return int(any(each.state in ("expired", "locked") for each in found))

    ctx.exit(run_at_desk(config, work, needs_store=False))


@token.command("refresh", epilog="Example: ak-instagram token refresh --account 17841…")
@account_option
@config_option
@click.pass_context
def refresh(ctx: click.Context, account: str | None, config: Path | None) -> None:
    """
    Refresh tokens now, as the service does by itself in the middle of their life.

    The service uses the new ones within seconds. A token has to be a day old. If Meta refuses,
    the token stays as it is, and the exit code is 1.
    """

    async def work(desk: Desk) -> int:
        if desk.vault is None:
            raise click.ClickException(NO_KEY)
        assert desk.store is not None
        failed = 0
        for each in await desk.reports(account):
            why = await refreshed(desk, desk.store, desk.vault, each)
            failed += why is not None
            click.echo(f"{each.account or each.token}: {why or 'refreshed'}")
        return int(failed > 0)

    ctx.exit(run_at_desk(config, work, needs_store=True))


async def refreshed(
    desk: Desk, store: Transactions, vault: Vault, told: AccountReport
) -> str | None:
    """Refresh the token of the account that *told* is about; return why not, if it did not work."""
    from ak_instagram.meta.graph.errors import GraphError
    from ak_instagram.meta.graph.token_calls import TIMEOUT, why_refused
    from ak_instagram.store.verbs.accounts import rows
    from ak_instagram.tokens import refreshing
    from ak_instagram.tokens.life import digest
    from ak_instagram.tokens.vault import Locked

    if told.login == "unified":
        return "tokens of Unified Login are not refreshed"
    account_id = told.account
    if told.seen_at is None:  # no service has used it yet
        settings = refreshing.by_origin(desk.configured)[told.origin or ""]
        try:
            owner = await desk.calls.me(settings.access_token, TIMEOUT)
        except GraphError as error:
            return why_refused(error)
        account_id = owner.user_id
        origin = digest(settings.access_token)
        await store.run(rows.see, account_id, owner.username, origin, expires=True)
    row = await store.run(rows.lease, account_id or "", refreshing.LEASE_MS)
    if row is None:
        return "another process refreshes it just now"
    try:
        used = refreshing.token_in_use(row, refreshing.by_origin(desk.configured), vault)
    except Locked as locked:
        await store.run(rows.release, row.account)
        return str(locked)
    if used is None:
        await store.run(rows.release, row.account)
        return "it has no token any more"
    return await refreshing.refresh(store, desk.calls, vault, row, used.token, now_ms())


@token.command("exchange", epilog="Example: ak-instagram token exchange < short-lived-token")
@click.option(
    "--print",
    "prints",
    is_flag=True,
    help="Print the long-lived token, to be put into the settings, and store nothing.",
)
@config_option
@click.pass_context
def exchange(ctx: click.Context, prints: bool, config: Path | None) -> None:
    """
    Make a long-lived token of a login's short-lived one, read from the standard input.

    The service uses it for its account within seconds, instead of the one in the settings. It
    has to be of the app whose secret is the first of instagram.app_secret.
    """
    short = (
        click.prompt("The short-lived token", hide_input=True)
        if sys.stdin.isatty()
        else sys.stdin.read()
    ).strip()
    if not short:
        raise click.ClickException("there is no token on the standard input")

    async def work(desk: Desk) -> int:
        if desk.vault is None and not prints:
            raise click.ClickException(f"{NO_KEY}, or use --print")
        click.echo(await exchanged(desk, short, prints=prints))
        return 0

    ctx.exit(run_at_desk(config, work, needs_store=not prints))


async def exchanged(desk: Desk, short: str, *, prints: bool) -> str:
    """Exchange the token *short*; return what is printed. A `ClickException` if it is refused."""
    from ak_instagram.meta.graph.errors import GraphError
    from ak_instagram.meta.graph.token_calls import TIMEOUT, why_refused
    from ak_instagram.store.verbs.accounts import rows
    from ak_instagram.tokens.life import digest, written
    from ak_instagram.tokens.refreshing import new_token

    secrets = desk.settings.instagram.app_secrets
    if not secrets:
        raise click.ClickException("instagram.app_secret is not set, and the exchange needs it")
    try:
        issued = await desk.calls.exchange(short, secrets[0])
        owner = await desk.calls.me(issued.token, TIMEOUT)
    except GraphError as error:
        raise click.ClickException(why_refused(error)) from error
    if prints:
        return issued.token
    assert desk.vault is not None
    assert desk.store is not None
    if await desk.store.run(rows.find, owner.user_id) is None:
        settings = unseen(owner.user_id, desk.configured, await desk.reports())
        if settings is None:
            raise click.ClickException(
                f"it is of {owner.user_id} (@{owner.username}), and it can't be told which account"
                " of the settings that is: set its account_id there, connect it, or put the token"
                " into the settings (--print)"
            )
        origin = digest(settings.access_token)
        await desk.store.run(rows.see, owner.user_id, owner.username, origin, expires=True)
    new = new_token(desk.vault, owner.user_id, issued, now_ms())
    if not await desk.store.run(rows.keep, owner.user_id, new):
        raise click.ClickException(f"{owner.user_id} was disconnected: connect it again")
    return f"{owner.user_id} (@{owner.username}): good until {written(new.expires_at)}"


def unseen(
    account_id: str, configured: Sequence[Account], told: Sequence[AccountReport]
) -> Account | None:
    """Return the account of the settings that *account_id* must be, of those never used so far."""
    from ak_instagram.tokens.refreshing import by_origin

    new = {each.origin for each in told if each.state == "new" and each.account is None}
    named = [each for each in configured if each.account_id == account_id]
    found = named or [each for origin, each in by_origin(configured).items() if origin in new]
    return found[0] if len(found) == 1 else None
