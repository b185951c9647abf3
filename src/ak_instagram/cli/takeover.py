"""`pause` and `resume`: let a person answer in a conversation, and let the bot return."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Connection

from ak_instagram.store import takeover

from . import options
from .dead_letters import in_store

_account = click.option(
    "--account", required=True, help="The professional account's id, as the log names it."
)


@dataclass(frozen=True, slots=True)
class _Of:
    account: str
    contact: str


@click.command(epilog="Example: ak-instagram pause 75139… --account 17841… --hours 48")
@click.argument("contact")
@_account
@click.option("--hours", default=12.0, show_default=True, help="For so long.")
@options.config
def pause(contact: str, account: str, hours: float, config: Path | None) -> None:
    """Let the bot be silent towards CONTACT (an IGSID), so that a person can answer."""

    def work(connection: Connection, now: int) -> None:
        takeover.pause(connection, _Of(account, contact), now + int(hours * 3_600_000))
        takeover.drop(connection, now, _Of(account, contact))

    in_store(config, work)
    click.echo(f"the bot is silent for {hours:g} hours")


@click.command(epilog="Example: ak-instagram resume 75139… --account 17841…")
@click.argument("contact")
@_account
@options.config
def resume(contact: str, account: str, config: Path | None) -> None:
    """Let the bot answer CONTACT (an IGSID) again."""

    def work(connection: Connection, _now: int) -> bool:
        return takeover.resume(connection, _Of(account, contact))

    if not in_store(config, work):
        raise click.ClickException(f"no conversation with {contact} is known")
    click.echo("the bot answers again")
