"""`person`: everything that is stored about somebody, handed out or erased."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import structlog

from ak_instagram.cli.shared import COMMAND, OpenStore, config_option, open_store, require_id
from ak_instagram.store.verbs.operators import changes
from ak_instagram.store.verbs.people.data import Erased

log = structlog.get_logger()

LOOK = 1.0  # seconds between two tries
NOTHING = "nothing is stored about {}"

_contact_argument = click.argument("contact", callback=require_id)
_account_option = click.option(
    "--account",
    callback=require_id,
    help="Only what is stored with this professional account's id.",
)


@click.group()
def person() -> None:
    """
    Export or erase a person's data.

    For whoever asks for them, or for their end.
    """


@person.command(epilog="Example: ak-instagram person export 75139…")
@_contact_argument
@_account_option
@config_option
def export(contact: str, account: str | None, config: Path | None) -> None:
    """
    Print everything that is stored about CONTACT (an IGSID), as JSON.

    It has all tables' rows, with what was said. Times are UTC milliseconds. The agent's own
    memory is not here.
    """
    with open_store(config) as store:
        rows = store.run(changes.export, COMMAND, contact, account)
        log.info("person.exported", rows=sum(map(len, rows.values())))
    if not rows:
        raise click.ClickException(NOTHING.format(contact))
    when = datetime.now(UTC).isoformat(timespec="seconds")
    exported = {"contact": contact, "exported_at": when, "tables": rows}
    click.echo(json.dumps(exported, ensure_ascii=False, indent=2))


@person.command(epilog="Example: ak-instagram person erase 75139… --yes")
@_contact_argument
@_account_option
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=90.0,
    show_default=True,
    help="Seconds to wait for an answer that is being made just now.",
)
@config_option
def erase(contact: str, account: str | None, yes: bool, wait: float, config: Path | None) -> None:
    """
    Erase everything that is stored about CONTACT (an IGSID).

    Also while the service runs. The keys of events stay, without anything about the person, so
    that what Meta repeats is not answered again. A message that the person writes later is a
    stranger's. Not erased: the agent's own memory, whose sessions are printed, and backups.
    """
    if not yes:
        click.confirm(f"Erase everything about {contact}, for good?", abort=True)
    with open_store(config) as store:
        erased = erase_when_free(store, contact, account, wait)
        if not erased.busy:
            log.info("person.erased", rows=erased.rows)
    if erased.busy:
        raise click.ClickException(
            f"{contact} is being answered just now, and nothing was erased: try again"
        )
    if not erased.rows:
        raise click.ClickException(NOTHING.format(contact))
    click.echo(f"erased: {erased.rows} rows")
    for line in sessions_told(erased.sessions):
        click.echo(line)


def erase_when_free(store: OpenStore, contact: str, account: str | None, wait: float) -> Erased:
    """Erase, and for *wait* seconds try again while the person is being answered."""
    until = time.monotonic() + wait
    while (
        erased := store.run(changes.erase, COMMAND, contact, account)
    ).busy and time.monotonic() < until:
        time.sleep(min(LOOK, max(until - time.monotonic(), 0)))
    return erased


def sessions_told(sessions: Sequence[tuple[str, str, int]]) -> list[str]:
    """Return a line for each session by which the agent knows one of *sessions*' conversations."""
    # Here and not above: it takes longer to import than `--help` should.
    from ak_instagram.conversation.turn import session_id

    return [
        f"the agent knows the conversation as session {session_id(account, contact, number)}"
        for account, contact, epoch in sessions
        for number in range(epoch + 1)
    ]
