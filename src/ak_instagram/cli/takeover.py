"""`pause` and `resume`: let a person answer in a conversation, and let the bot return."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Connection

from ak_instagram.store import takeover

from . import options
from .dead_letters import in_store

_account = click.option(
    "--account", required=True, help="The professional account's id, as the log names it."
)
_LONGEST = 10 * 365 * 24  # hours


@dataclass(frozen=True, slots=True)
class _Of:
    account: str
    contact: str


def _a_number(_context: click.Context, _option: click.Parameter, hours: float) -> float:
    """Refuse `nan`, which lies in every range."""
    if math.isnan(hours):
        raise click.BadParameter("is not a number")
    return hours


@click.command(epilog="Example: ak-instagram pause 75139… --account 17841… --hours 48")
@click.argument("contact")
@_account
@click.option(
    "--hours",
    type=click.FloatRange(0, _LONGEST, min_open=True),
    callback=_a_number,
    default=12.0,
    show_default=True,
    help="For so long at least.",
)
@options.config
def pause(contact: str, account: str, hours: float, config: Path | None) -> None:
    """
    Let the bot be silent towards CONTACT (an IGSID), so that a person can answer.

    What it has not sent yet of an answer is dropped. A longer pause stays as it is.
    """

    def work(connection: Connection, now: int) -> int:
        until = takeover.pause(connection, _Of(account, contact), now + int(hours * 3_600_000))
        takeover.drop(connection, now, _Of(account, contact))
        return until

    until = datetime.fromtimestamp(in_store(config, work) / 1000, UTC)
    click.echo(f"the bot is silent until {until.isoformat(timespec='seconds')}")


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
