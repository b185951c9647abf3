"""`pause` and `resume`: let a person answer in a conversation, and let the bot return."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import click

from ak_instagram.store.verbs.operators import changes

from .shared import COMMAND, config_option, open_store

_MAX_HOURS = 10 * 365 * 24
NOT_KNOWN = "no conversation with {} is known"


def _require_id(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """Refuse the names of people and accounts: under a name nothing is stored."""
    if not (name.isascii() and name.isdigit()):
        raise click.BadParameter(
            "is not an id: it has digits alone, as `account` and `contact` in the log"
        )
    return name


contact_argument = click.argument("contact", callback=_require_id)
account_option = click.option(
    "--account",
    required=True,
    callback=_require_id,
    help="The professional account's id, as the log names it.",
)


@click.command(epilog="Example: ak-instagram pause 75139… --account 17841… --hours 48")
@contact_argument
@account_option
@click.option(
    "--hours",
    type=click.FloatRange(0, _MAX_HOURS, min_open=True),
    default=12.0,
    show_default=True,
    help="For so long at least.",
)
@config_option
def pause(contact: str, account: str, hours: float, config: Path | None) -> None:
    """
    Silence the bot towards CONTACT (an IGSID).

    A person can answer meanwhile. What has not been sent yet of an answer is dropped. A
    longer pause stays as it is.
    """
    if math.isnan(hours):  # which lies in every range
        raise click.BadParameter("is not a number", param_hint="'--hours'")
    duration_ms = int(hours * 3_600_000)
    with open_store(config) as store:
        until = store.run(changes.pause, COMMAND, account, contact, duration_ms)
    if until is None:
        raise click.ClickException(NOT_KNOWN.format(contact))
    when = datetime.fromtimestamp(until / 1000, UTC)
    click.echo(f"the bot is silent until {when.isoformat(timespec='seconds')}")


@click.command(epilog="Example: ak-instagram resume 75139… --account 17841…")
@contact_argument
@account_option
@config_option
def resume(contact: str, account: str, config: Path | None) -> None:
    """Let the bot answer CONTACT (an IGSID) again."""
    with open_store(config) as store:
        was_silent = store.run(changes.resume, COMMAND, account, contact)
    if was_silent is None:
        raise click.ClickException(NOT_KNOWN.format(contact))
    click.echo("the bot answers again" if was_silent else "the bot was not silent")
