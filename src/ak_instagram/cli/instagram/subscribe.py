"""`subscribe`: have Meta post the accounts' webhooks to the app that the tokens are of."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ak_instagram.cli.shared import config_option, load_settings, open_graph

if TYPE_CHECKING:
    from ak_instagram.meta.graph.account_calls import AccountCalls
    from ak_instagram.settings.model import Account, Settings


@click.command(epilog="Example: ak-instagram subscribe --check")
@click.option("--check", is_flag=True, help="Only look; the exit code is 1 if an account is not.")
@config_option
@click.pass_context
def subscribe(ctx: click.Context, check: bool, config: Path | None) -> None:
    """
    Subscribe each account to webhooks.

    An account that is not subscribed gets none, whatever the app has ticked. Doing it again
    changes nothing. Needs no running service.
    """
    ctx.exit(asyncio.run(subscribe_all(load_settings(config), only_look=check)))


async def subscribe_all(settings: Settings, *, only_look: bool) -> int:
    """Subscribe, or *only look*, and print a line for each account; return the exit code."""
    # Here and not above: they take longer to import than `--help` should.
    from ak_instagram.meta.graph.account_calls import AccountCalls
    from ak_instagram.tokens.report import current_accounts

    async with open_graph(settings) as graph:
        calls = AccountCalls(graph)
        accounts = await current_accounts(settings)
        done = [await subscribed(calls, each, only_look=only_look) for each in accounts]
    return 0 if all(done) else 1


async def subscribed(calls: AccountCalls, account: Account, *, only_look: bool) -> bool:
    """Print what becomes of *account*; return whether it is subscribed to messages."""
    from ak_instagram.meta.graph.errors import GraphError  # as above

    name = account.account_id or "the account of the token"
    try:
        profile = (await calls.facts(account.access_token)).profile
        name = f"{profile.user_id} ({profile.username})" if profile.username else profile.user_id
        if not only_look:
            await calls.subscribe(account.access_token)
        apps = await calls.subscriptions(account.access_token)
    except GraphError as exc:
        click.echo(f"{name}: {exc}; `ak-instagram doctor` says what helps", err=True)
        return False
    fields = sorted({field for app in apps for field in app.fields or ()})
    if any(app.has_messages for app in apps):
        click.echo(f"{name}: subscribed{' to ' if fields else ''}{', '.join(fields)}")
        return True
    fix = "run `ak-instagram subscribe`" if only_look else "Meta took the call and changed nothing"
    click.echo(f"{name}: not subscribed to messages; {fix}", err=True)
    return False
