"""`pause` and `resume`: let a person answer in a conversation, and let the bot return."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import click

from ak_instagram.store.database import Tx
from ak_instagram.store.verbs import takeover

from . import options
from .store import open_store

_MAX_HOURS = 10 * 365 * 24


def _an_id(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """Refuse the names of people and accounts: under a name nothing is stored."""
    if not (name.isascii() and name.isdigit()):
        raise click.BadParameter(
            "is not an id: it has digits alone, as `account` and `contact` in the log"
        )
    return name


def _a_number(_context: click.Context, _option: click.Parameter, hours: float) -> float:
    """Refuse `nan`, which lies in every range."""
    if math.isnan(hours):
        raise click.BadParameter("is not a number")
    return hours


_contact = click.argument("contact", callback=_an_id)
_account = click.option(
    "--account",
    required=True,
    callback=_an_id,
    help="The professional account's id, as the log names it.",
)


@click.command(epilog="Example: ak-instagram pause 75139… --account 17841… --hours 48")
@_contact
@_account
@click.option(
    "--hours",
    type=click.FloatRange(0, _MAX_HOURS, min_open=True),
    callback=_a_number,
    default=12.0,
    show_default=True,
    help="For so long at least.",
)
@options.config
def pause(contact: str, account: str, hours: float, config: Path | None) -> None:
    """
    Silence the bot towards CONTACT (an IGSID).

    A person can answer meanwhile. What has not been sent yet of an answer is dropped. A
    longer pause stays as it is.
    """
    milliseconds = int(hours * 3_600_000)
    with open_store(config) as store:
        until = store.run(_pause, account, contact, milliseconds)
    if until is None:
        raise _unknown(contact)
    when = datetime.fromtimestamp(until / 1000, UTC)
    click.echo(f"the bot is silent until {when.isoformat(timespec='seconds')}")


def _pause(tx: Tx, account: str, contact: str, milliseconds: int) -> int | None:
    """Return until when the bot is silent, `None` if the conversation is not known."""
    if not takeover.is_known(tx, account, contact):
        return None
    until = takeover.pause(tx, account, contact, tx.now + milliseconds)
    takeover.drop(tx, account, contact)
    return until


@click.command(epilog="Example: ak-instagram resume 75139… --account 17841…")
@_contact
@_account
@options.config
def resume(contact: str, account: str, config: Path | None) -> None:
    """Let the bot answer CONTACT (an IGSID) again."""
    with open_store(config) as store:
        is_known = store.run(takeover.resume, account, contact)
    if not is_known:
        raise _unknown(contact)
    click.echo("the bot answers again")


def _unknown(contact: str) -> click.ClickException:
    return click.ClickException(f"no conversation with {contact} is known")
