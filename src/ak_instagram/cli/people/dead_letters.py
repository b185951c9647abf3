"""`dead-letters`: look at turns that were given up, try them again, or let them go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path

import click

from ak_instagram.cli.shared import COMMAND, OpenStore, config_option, open_store
from ak_instagram.store.verbs.operators import changes
from ak_instagram.store.verbs.operators import dead_letters as letters
from ak_instagram.store.verbs.operators.dead_letters import DeadLetter, Filter

_ALL = 1_000_000  # letters, which is more than there ever are


@click.group("dead-letters")
def dead_letters() -> None:
    """
    List, retry or discard what was given up.

    These are turns that the agent failed on for good, and answers that could not be sent.
    """


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give *command* the options that choose dead letters; the `Filter` comes as *wanted*."""

    @click.option("--account", help="Only of this professional account's id.")
    @click.option("--contact", help="Only of this person (IGSID).")
    @click.option("--since", type=click.DateTime(), help="Only from this time on (UTC).")
    @config_option
    @wraps(command)
    def with_filter(
        account: str | None, contact: str | None, since: datetime | None, **others: object
    ) -> None:
        since_ms = int(since.replace(tzinfo=UTC).timestamp() * 1000) if since else None
        command(wanted=Filter(account=account, contact=contact, since=since_ms), **others)

    return with_filter


def for_chosen(command: Callable[[OpenStore, list[DeadLetter]], None]) -> Callable[..., None]:
    """Give *command* the arguments that choose letters; the store and the letters come to it."""

    @click.argument("turns", nargs=-1)
    @click.option("--all", "everything", is_flag=True, help="All that the filters let through.")
    @filtered
    @wraps(command)
    def on_chosen(
        turns: Sequence[str], everything: bool, wanted: Filter, config: Path | None
    ) -> None:
        """Run the command on the letters that are meant; `UsageError` if that is unclear."""
        if everything and turns:
            raise click.UsageError("name the turns, or use --all, not both")
        if not everything and not turns:
            raise click.UsageError("name the turns, or use --all")
        with open_store(config) as store:
            named = [_find_one(store, turn) for turn in turns]
            chosen = named or store.run(letters.find, replace(wanted, limit=_ALL))
            command(store, list(chosen))

    return on_chosen


def _find_one(store: OpenStore, turn: str) -> DeadLetter:
    """Return the dead letter called *turn*; end with exit code 1 if it is not there."""
    found = store.run(letters.find, Filter(turn=turn))
    if not found:
        raise click.ClickException(f"no dead letter is called {turn}")
    return found[0]


def as_line(letter: DeadLetter) -> str:
    """Return *letter* as people read it."""
    when = datetime.fromtimestamp(letter.since / 1000, UTC).isoformat(timespec="seconds")
    what = "message" if letter.what == "turn" else "piece"
    return (
        f"{letter.turn}  {when}  account {letter.account}  contact {letter.contact}"
        f"  {letter.count} {what}{'' if letter.count == 1 else 's'}: {letter.reason}"
    )


@dead_letters.command("list", epilog="Example: ak-instagram dead-letters list --since 2026-11-01")
@filtered
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(wanted: Filter, config: Path | None, limit: int, as_json: bool) -> None:
    """List dead letters, oldest first."""
    with open_store(config) as store:
        found = store.run(letters.find, replace(wanted, limit=limit))
    for letter in found:
        fields = {name: getattr(letter, name) for name in DeadLetter.__slots__}
        click.echo(json.dumps(fields) if as_json else as_line(letter))
    if not found and not as_json:
        click.echo("no dead letters")


@dead_letters.command("show", epilog="Example: ak-instagram dead-letters show 1f0c…")
@click.argument("turn")
@config_option
def show(turn: str, config: Path | None) -> None:
    """
    Show TURN with its texts.

    Mind who sees the screen.
    """
    with open_store(config) as store:
        letter = _find_one(store, turn)
        contents = store.run(letters.contents, turn)
    click.echo(as_line(letter))
    for kind, payload in contents:
        click.echo(f"  {kind}: {text_in(payload) if payload else '(wiped)'}")
        if payload:
            click.echo(f"    {payload}")


def text_in(payload: str) -> str:
    """Return the text of a message, edit or piece, or a tap's title; `(no text)` without one."""
    item = json.loads(payload)
    for name in ("message", "message_edit", "postback"):
        item = item.get(name) or item
    text = item.get("text") or item.get("title")
    return text if isinstance(text, str) else "(no text)"


@dead_letters.command("replay", epilog="Example: ak-instagram dead-letters replay --all")
@for_chosen
def replay(store: OpenStore, chosen: list[DeadLetter]) -> None:
    """
    Try TURNS again.

    The running service does so within seconds. Of an answer only what was not sent goes
    out. Repeating it is harmless. Nothing is tried where the bot is silent, nor what has
    been wiped since.
    """
    done = sum(store.run(changes.replay, COMMAND, letter) for letter in chosen)
    click.echo(f"{done} to be tried again")
    if left := len(chosen) - done:
        click.echo(
            f"{left} left out: the bot is silent there (see `resume`), or their texts were wiped"
        )


@dead_letters.command("discard", epilog="Example: ak-instagram dead-letters discard 1f0c…")
@for_chosen
def discard(store: OpenStore, chosen: list[DeadLetter]) -> None:
    """Let TURNS go for good."""
    done = sum(store.run(changes.discard, COMMAND, letter) for letter in chosen)
    click.echo(f"{done} discarded")
