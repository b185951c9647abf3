"""`accounts`: who the service answers for, how they are, and who joins or leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .shared import config_option
from .token import Desk, now_ms, run_at_desk

if TYPE_CHECKING:
    from ak_instagram.tokens.report import AccountReport

_STATES = {
    "ok": "ok",
    "new": "not used yet",
    "expires": "its token ends soon",
    "expired": "its token has ended",
    "locked": "its token can't be read: see store.encryption_key",
    "disconnected": "disconnected",
}


@click.group(invoke_without_command=True, epilog="Example: ak-instagram accounts --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@config_option
@click.pass_context
def accounts(ctx: click.Context, as_json: bool, config: Path | None) -> None:
    """
    List the accounts with their health.

    Those of the settings and those that were connected: the token's end, and what waits. The
    exit code is 1 if somebody should look at one of them. Meta is not asked.
    """
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: Desk) -> int:
        found = await desk.reports()
        for each in found:
            click.echo(json.dumps(each.to_json(), ensure_ascii=False) if as_json else as_line(each))
        if not found and not as_json:
            click.echo("no accounts")
        return int(any(not each.is_well and each.state != "disconnected" for each in found))

    ctx.exit(run_at_desk(config, work, needs_store=False))


def as_line(told: AccountReport) -> str:
    """Return *told* as people read it."""
    backlog, parts = told.backlog, [_STATES[told.state]]
    if told.expires_at is not None:
        days = max((told.expires_at - now_ms()) // 86_400_000, 0)
        parts.append(f"token ends in {days} days{'' if told.expiry_known else ' at the latest'}")
    if told.error:
        parts.append(f"not refreshed: {told.error}")
    if backlog.stopped:
        parts.append(f"{backlog.stopped} conversations wait for it to be able to send")
    for number, what in (
        (backlog.waiting - backlog.stopped, "conversations have work"),
        (backlog.parked, "pieces parked"),
        (backlog.dead, "dead letters"),
    ):
        if number > 0:
            parts.append(f"{number} {what}")
    name = f"@{told.username}" if told.username else told.token
    agent = f", agent {told.agent}" if told.agent else ""
    return f"{told.account or 'no id yet'}  {name}  {told.source}{agent}: {'; '.join(parts)}"


@accounts.command("disconnect", epilog="Example: ak-instagram accounts disconnect 17841…")
@click.argument("account")
@config_option
def disconnect(account: str, config: Path | None) -> None:
    """
    Forget the stored token of ACCOUNT.

    One that was connected is not answered for any more, within seconds and without a restart.
    One of the settings goes by the token there: take it out of the settings too. Its webhooks
    go on until its owner removes the app.
    """

    async def work(desk: Desk) -> int:
        from ak_instagram.store.verbs.accounts import rows

        assert desk.store is not None
        if not await desk.store.run(rows.disconnect, account):
            raise click.ClickException(f"no account {account} has a token here")
        click.echo(f"{account} is disconnected")
        return 0

    run_at_desk(config, work, needs_store=True)


@accounts.command("connect-link", epilog="Example: ak-instagram accounts connect-link")
@config_option
def connect_link(config: Path | None) -> None:
    """
    Make a link with which an owner connects one account.

    Whoever has it can connect an account of theirs, once and within an hour: send it to nobody
    else. It needs instagram.app_id, and in the Meta app's dashboard the redirect URL
    {server.public_url}/instagram/connect/callback.
    """

    async def work(desk: Desk) -> int:
        from ak_instagram.tokens.connecting import connect_app, make_link

        app = connect_app(desk.settings)
        if app is None:
            raise click.ClickException(
                "instagram.app_id (AK_INSTAGRAM__APP_ID) is not set: accounts can't be connected"
            )
        assert desk.store is not None
        click.echo(await make_link(desk.store, app))
        return 0

    run_at_desk(config, work, needs_store=True)
