"""`pause` and `resume`: let a person answer in a conversation, or stop an account's sending."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import click

from ak_instagram.cli.shared import COMMAND, config_option, open_store, require_id
from ak_instagram.store.values import ALL_ACCOUNTS
from ak_instagram.store.verbs.operators import changes, stops

_HOURS = 12
_MAX_HOURS = 10 * 365 * 24
NOT_KNOWN = "no conversation with {} is known"

contact_argument = click.argument("contact", required=False, callback=require_id)
account_option = click.option(
    "--account",
    callback=require_id,
    help="The professional account's id, as the log names it.",
)
all_option = click.option("--all", "everything", is_flag=True, help="All accounts.")


@click.command(epilog="Example: ak-instagram pause 75139… --account 17841… --hours 48")
@contact_argument
@account_option
@all_option
@click.option(
    "--hours",
    type=click.FloatRange(0, _MAX_HOURS, min_open=True),
    help=f"Towards CONTACT for so long at least.  [default: {_HOURS}]",
)
@config_option
def pause(
    contact: str | None,
    account: str | None,
    everything: bool,
    hours: float | None,
    config: Path | None,
) -> None:
    """
    Silence the bot towards CONTACT (an IGSID), or stop sending.

    With CONTACT and --account a person can answer meanwhile: what comes in is left to that
    person, and what has not been sent yet of an answer is dropped. A longer pause stays as it is.

    With --account alone, or --all, the running service stops sending within seconds: what comes in
    waits, the agent is not asked, and nothing is given up. It all goes out on resume, in order, as
    far as Meta's 24 hours allow.
    """
    whose, person = _meant(contact, account, everything)
    if hours is not None and math.isnan(hours):  # which lies in every range
        raise click.BadParameter("is not a number", param_hint="'--hours'")
    if person is None:
        if hours is not None:
            raise click.UsageError("--hours is for one CONTACT; sending is stopped until `resume`")
        with open_store(config) as store:
            is_new = store.run(changes.stop_sending, COMMAND, whose)
        click.echo(_STOPS[is_new].format(_named(whose)))
        return
    duration_ms = int((_HOURS if hours is None else hours) * 3_600_000)
    with open_store(config) as store:
        until = store.run(changes.pause, COMMAND, whose, person, duration_ms)
    if until is None:
        raise click.ClickException(NOT_KNOWN.format(contact))
    when = datetime.fromtimestamp(until / 1000, UTC)
    click.echo(f"the bot is silent until {when.isoformat(timespec='seconds')}")


@click.command(epilog="Example: ak-instagram resume 75139… --account 17841…")
@contact_argument
@account_option
@all_option
@config_option
def resume(contact: str | None, account: str | None, everything: bool, config: Path | None) -> None:
    """
    Let the bot answer CONTACT (an IGSID) again, or send again.

    With --account alone, or --all, what `pause` stopped with the same option. An account that was
    paused by itself stays so after `resume --all`.
    """
    whose, person = _meant(contact, account, everything)
    with open_store(config) as store:
        if person is None:
            click.echo(
                _RESUMES[store.run(changes.resume_sending, COMMAND, whose)].format(_named(whose))
            )
            for left in store.run(stops.stopped):
                option = "--all" if left == ALL_ACCOUNTS else f"--account {left}"
                click.echo(f"still stopped: {_named(left)} (`resume {option}` ends that)")
            return
        was_silent = store.run(changes.resume, COMMAND, whose, person)
    if was_silent is None:
        raise click.ClickException(NOT_KNOWN.format(contact))
    click.echo("the bot answers again" if was_silent else "the bot was not silent")


_STOPS = {
    True: "sending is stopped for {}: what comes in waits, and `resume` lets it all go out",
    False: "sending was stopped for {} already",
}
_RESUMES = {
    True: "sending goes on for {}: what waits goes out within seconds",
    False: "sending was not stopped for {}",
}


def _named(stop: str) -> str:
    """Return which accounts *stop* concerns, in words."""
    return "all accounts" if stop == ALL_ACCOUNTS else f"account {stop}"


def _meant(contact: str | None, account: str | None, everything: bool) -> tuple[str, str | None]:
    """Return whose sending, or which conversation, is meant; `UsageError` if that is open."""
    if everything:
        if contact or account:
            raise click.UsageError("--all is for all accounts: name no other")
        return ALL_ACCOUNTS, None
    if not account:
        raise click.UsageError("name CONTACT and --account, --account alone, or --all")
    return account, contact
