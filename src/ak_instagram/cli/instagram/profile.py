"""`profile`: ice breakers and persistent menu at Meta, compared with what is declared."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click
import structlog

from ak_instagram.cli.shared import config_option, load_settings, require_id
from ak_instagram.settings.model import Account, Settings

if TYPE_CHECKING:
    from ak_instagram.meta.graph.client import GraphClient

_SETTINGS = ("ice_breakers", "persistent_menu")
Work: TypeAlias = "Callable[[GraphClient, Account, str], Awaitable[None]]"

_account_option = click.option(
    "--account",
    callback=require_id,
    help="Only this professional account's id.  [default: all that are configured]",
)
_yes_option = click.option("--yes", is_flag=True, help="Don't ask.")


@click.group()
def profile() -> None:
    """
    Show or change ice breakers and the menu.

    They are declared in the settings, section `profile`, per locale.
    """


@profile.command(epilog="Example: ak-instagram profile show --json")
@_account_option
@click.option("--json", "as_json", is_flag=True, help="As Meta has it, one object a line.")
@config_option
def show(account: str | None, as_json: bool, config: Path | None) -> None:
    """Print what Meta has."""
    from ak_instagram.meta.graph import messenger_profile as meta  # it takes long to import

    async def work(graph: GraphClient, chosen: Account, name: str) -> None:
        has = await meta.fetch(graph, chosen.access_token)
        if as_json:
            click.echo(json.dumps({"account": name, **has}, ensure_ascii=False))
            return
        click.echo(f"account {name}")
        for line in meta.shown(has) or ["neither ice breakers nor a menu"]:
            click.echo(f"  {line}")

    run(load_settings(config), account, work)


@profile.command(epilog="Example: ak-instagram profile apply --yes")
@_account_option
@_yes_option
@config_option
def apply(account: str | None, yes: bool, config: Path | None) -> None:
    """
    Give Meta what is declared.

    Prints what would change, and asks before it writes. What is not declared stays as it is;
    `profile delete` takes it away.
    """
    from ak_instagram.meta.graph import messenger_profile as meta  # as above

    settings = load_settings(config)
    wants = {name: list(getattr(settings.profile, name)) for name in _SETTINGS}
    wants = {name: it for name, it in wants.items() if it}
    if not wants:
        raise click.UsageError("nothing is declared: set profile.ice_breakers or .persistent_menu")

    async def work(graph: GraphClient, chosen: Account, name: str) -> None:
        has = await meta.fetch(graph, chosen.access_token)
        click.echo(f"account {name}")
        changes = meta.difference(has, wants)
        for line in changes or ["nothing to change"]:
            click.echo(f"  {line}")
        if changes and confirmed(yes, "Write this?"):
            await meta.write(graph, chosen.access_token, wants)
            click.echo("  written")

    run(settings, account, work)


@profile.command(epilog="Example: ak-instagram profile delete persistent_menu")
@click.argument("settings", nargs=-1, type=click.Choice(_SETTINGS))
@_account_option
@_yes_option
@config_option
def delete(settings: Sequence[str], account: str | None, yes: bool, config: Path | None) -> None:
    """Take SETTINGS away at Meta; both if none is named."""
    from ak_instagram.meta.graph import messenger_profile as meta  # as above

    async def work(graph: GraphClient, chosen: Account, name: str) -> None:
        has = await meta.fetch(graph, chosen.access_token)
        gone = [each for each in (settings or _SETTINGS) if each in has]
        click.echo(f"account {name}")
        for line in meta.shown({each: has[each] for each in gone}) or ["nothing to delete"]:
            click.echo(f"  {'-' if gone else ''}{line}")
        if gone and confirmed(yes, "Delete this?"):
            await meta.delete(graph, chosen.access_token, gone)
            click.echo("  deleted")

    run(load_settings(config), account, work)


def confirmed(yes: bool, question: str) -> bool:
    """Return whether to go on; the command ends if not."""
    return yes or click.confirm(question, abort=True)


def run(settings: Settings, account: str | None, work: Work) -> None:
    """Do *work* for each account, or for *account* alone; end with a line if Meta refuses."""
    from ak_instagram.meta.graph.errors import GraphError  # as above

    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    try:
        asyncio.run(_run(settings, account, work))
    except GraphError as exc:
        raise click.ClickException(f"Meta refuses: {exc}") from exc


async def _run(settings: Settings, account: str | None, work: Work) -> None:
    # As above.
    from ak_instagram.http_client import open_http_session
    from ak_instagram.meta.graph.client import GraphClient
    from ak_instagram.meta.graph.messenger_profile import TIMEOUT

    instagram = settings.instagram
    async with open_http_session(outgoing_proxies=settings.server.outgoing_proxies) as session:
        graph = GraphClient(session, instagram.graph_url, instagram.api_version)
        is_known = False
        for each in instagram.all_accounts:
            name = each.account_id or (await graph.me(each.access_token, TIMEOUT)).user_id
            if account in (None, name):
                is_known = True
                await work(graph, each, name)
    if not is_known:
        raise click.ClickException(f"no account {account} is configured")
