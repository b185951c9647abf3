"""`send`: write to a person unasked, through the running service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

import click

from ak_instagram.cli.shared import COMMAND, config_option, open_store, require_id
from ak_instagram.settings import load_sender


@click.command(epilog="Example: ak-instagram send --to 75139… --text 'Your order is ready.'")
@click.option(
    "--to", "contact", required=True, callback=require_id, help="The person's IGSID, as in the log."
)
@click.option("--text", help="What to say; Markdown is read as in an agent's answer.")
@click.option(
    "--json",
    "document",
    type=click.File(encoding="utf-8"),
    help="A file with one message of the answer schema, or - for stdin.",
)
@click.option(
    "--account",
    callback=require_id,
    help="The professional account's id.  [default: the one that the person has written to]",
)
@click.option(
    "--as-person",
    "by_person",
    is_flag=True,
    help="A person wrote it: for 7 days after the last message, with sender.human_agent.",
)
@config_option
def send(
    contact: str,
    text: str | None,
    document: TextIO | None,
    account: str | None,
    by_person: bool,
    config: Path | None,
) -> None:
    """
    Send a message to a person who has written before.

    The running service sends it within seconds, behind what waits in the conversation, as the
    bot's own: nobody is taken to have taken over. Outside the window in which Instagram takes
    messages it is refused, with a line that says since when, and exit code 1.
    """
    # Here and not above: what reads answers takes longer to import than `--help` should.
    from ak_instagram.outbound.send import SendRefused, Unsendable, compose, moment
    from ak_instagram.outbound.send import send as put

    if by_person and not load_sender(config=config).human_agent:
        raise click.ClickException(
            "sender.human_agent is false: set AK_SENDER__HUMAN_AGENT=true once the app has Meta's"
            " feature Human Agent"
        )
    try:
        message = compose(_said(text, document), by_person=by_person)
    except Unsendable as exc:
        raise click.UsageError(str(exc)) from None
    with open_store(config) as store:
        try:
            queued = store.run(put, COMMAND, contact, message, account)
        except SendRefused as exc:
            raise click.ClickException(str(exc)) from None
    pieces = f"{queued.pieces} message{'' if queued.pieces == 1 else 's'}"
    click.echo(f"queued: {pieces}, turn {queued.turn}; open until {moment(queued.closes_at)}")
    if queued.waits_for:
        click.echo(queued.waits_for)


def _said(text: str | None, document: TextIO | None) -> object:
    """Return the message that is meant: *text*, or what is in *document*."""
    if (text is None) == (document is None):
        raise click.UsageError("give --text or --json, one of them")
    if document is None:
        return text
    try:
        message = json.load(document)
    except ValueError:
        raise click.UsageError("--json has no JSON") from None
    if isinstance(message, dict) and "messages" in message:
        raise click.UsageError("--json takes one message, not a whole answer")
    return message
