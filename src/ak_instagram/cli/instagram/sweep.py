"""`sweep`: look now for messages that no webhook brought."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog

from ak_instagram.cli.shared import config_option, load_settings, open_graph
from ak_instagram.errors import StoreUnavailable

if TYPE_CHECKING:
    from ak_instagram.maintenance.sweep import Sweeper
    from ak_instagram.meta.graph.account_calls import AccountCalls
    from ak_instagram.settings.model import Account, Settings

SETTLED_AFTER = 3.0  # seconds that a webhook may take: who looks by hand waits for an answer


@click.command(epilog="Example: ak-instagram sweep")
@config_option
@click.pass_context
def sweep(ctx: click.Context, config: Path | None) -> None:
    """
    Look for messages that no webhook brought.

    Conversations that changed since the last look are listed. Each message that the store does
    not know, and nobody has answered, is put into it, and the running service answers within
    seconds. Nothing is taken from before the service first ran, nor what is older than 24 hours.
    An account that is not subscribed to webhooks is subscribed. The service does the same by
    itself every `instagram.sweep` seconds.
    """
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    settings = load_settings(config)
    try:
        ctx.exit(asyncio.run(sweep_all(settings)))
    except StoreUnavailable as exc:
        raise click.ClickException(f"the store can't be used: {exc}") from exc


async def sweep_all(settings: Settings) -> int:
    """Sweep all accounts and print a line for each; return the exit code."""
    # Here and not above: they take longer to import than `--help` should.
    from ak_instagram.maintenance.sweep import Sweeper
    from ak_instagram.meta.graph.account_calls import AccountCalls
    from ak_instagram.store.maintenance import open_for_maintenance
    from ak_instagram.tokens.report import current_accounts

    every = settings.instagram.sweep
    async with open_for_maintenance(settings.store.url) as store, open_graph(settings) as graph:
        calls = AccountCalls(graph)
        sweeper = Sweeper(store, calls, every, settled_after=SETTLED_AFTER)
        accounts = await current_accounts(settings)
        return 0 if all([await swept(sweeper, calls, each) for each in accounts]) else 1


async def swept(sweeper: Sweeper, calls: AccountCalls, account: Account) -> bool:
    """Sweep *account* and print what came of it; return whether Meta let us look."""
    # As above.
    from ak_instagram.delivery.accounts import IdentifiedAccount
    from ak_instagram.meta.graph.errors import GraphError

    try:
        profile = (await calls.facts(account.access_token)).profile
        result = await sweeper.sweep(IdentifiedAccount(account, profile), in_turn=False)
        assert result is not None, "it is always its turn"
        if result.error is not None:
            raise result.error
    except GraphError as exc:
        click.echo(f"{exc}; `ak-instagram doctor` says what helps", err=True)
        return False
    rest = "" if result.is_done else "; there is more: run it again, or leave it to the service"
    pages = f"{result.pages} page{'' if result.pages == 1 else 's'} of conversations"
    click.echo(f"{profile.user_id}: {result.found} found in {pages}{rest}")
    return True
