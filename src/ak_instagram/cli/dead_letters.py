"""`dead-letters`: look at turns that were given up, try them again, or let them go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path

import click

from ak_instagram.store.database import Tx
from ak_instagram.store.verbs import dead_letters as letters
from ak_instagram.store.verbs.dead_letters import DeadLetter, Filter

from . import options
from .store import OpenStore, open_store

_ALL = 1_000_000  # letters, which is more than there ever are


@click.group("dead-letters")
def dead_letters() -> None:
    """
    List, retry or discard what was given up.

    These are turns that the agent failed on for good, and answers that could not be sent.
    """


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give *command* the options by which dead letters are chosen."""
    for option in (  # the last one is the first of the help
        options.config,
        click.option("--since", type=click.DateTime(), help="Only from this time on (UTC)."),
        click.option("--contact", help="Only of this person (IGSID)."),
        click.option("--account", help="Only of this professional account's id."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The letters that a command is for: those called *named*, or all that are *wanted*."""

    named: Sequence[str]
    wanted: Filter


def _of_chosen(act: Callable[[Path | None, _Chosen], None]) -> Callable[..., None]:
    """Return *act* as a command with the arguments that choose letters."""

    @click.argument("turns", nargs=-1)
    @click.option("--all", "everything", is_flag=True, help="All that the filters let through.")
    @_filters
    @wraps(act)
    def command(
        turns: Sequence[str],
        everything: bool,
        account: str | None,
        contact: str | None,
        since: datetime | None,
        config: Path | None,
    ) -> None:
        if everything and turns:
            raise click.UsageError("name the turns, or use --all, not both")
        if not everything and not turns:
            raise click.UsageError("name the turns, or use --all")
        wanted = Filter(account=account, contact=contact, since=_millis(since), limit=_ALL)
        act(config, _Chosen(turns, wanted))

    return command


@dead_letters.command("list", epilog="Example: ak-instagram dead-letters list --since 2026-11-01")
@_filters
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(
    account: str | None,
    contact: str | None,
    since: datetime | None,
    config: Path | None,
    limit: int,
    as_json: bool,
) -> None:
    """List dead letters, oldest first."""
    wanted = Filter(account=account, contact=contact, since=_millis(since), limit=limit)
    with open_store(config) as store:
        found = store.run(letters.find, wanted)
    for letter in found:
        click.echo(_as_json(letter) if as_json else _as_line(letter))
    if not found and not as_json:
        click.echo("no dead letters")


@dead_letters.command("show", epilog="Example: ak-instagram dead-letters show 1f0c…")
@click.argument("turn")
@options.config
def show(turn: str, config: Path | None) -> None:
    """
    Show TURN with its texts.

    Mind who sees the screen.
    """
    with open_store(config) as store:
        letter = _known(store, turn)
        contents = store.run(letters.contents, turn)
    click.echo(_as_line(letter))
    for kind, payload in contents:
        click.echo(f"  {kind}: {payload or '(wiped)'}")


@dead_letters.command("replay", epilog="Example: ak-instagram dead-letters replay --all")
@_of_chosen
def replay(config: Path | None, chosen: _Chosen) -> None:
    """
    Try TURNS again.

    The running service does so within seconds. Of an answer only what was not sent goes
    out. Repeating it is harmless. Nothing is tried where a person answers, nor what has
    been wiped since.
    """
    done, left = _each(config, chosen, letters.replay)
    click.echo(f"{done} to be tried again")
    if left:
        click.echo(
            f"{left} left out: a person answers there (see `resume`), or their texts were wiped"
        )


@dead_letters.command("discard", epilog="Example: ak-instagram dead-letters discard 1f0c…")
@_of_chosen
def discard(config: Path | None, chosen: _Chosen) -> None:
    """Let TURNS go for good."""
    done, _ = _each(config, chosen, letters.discard)
    click.echo(f"{done} discarded")


def _each(config: Path | None, chosen: _Chosen, act: Callable[[Tx, str], bool]) -> tuple[int, int]:
    """Let the verb *act* happen to each letter; return for how many it did and did not."""
    with open_store(config) as store:
        turns = [_known(store, turn).turn for turn in chosen.named] or [
            letter.turn for letter in store.run(letters.find, chosen.wanted)
        ]
        done = sum(store.run(act, turn) for turn in turns)
    return done, len(turns) - done


def _known(store: OpenStore, turn: str) -> DeadLetter:
    """Return the dead letter called *turn*; end with exit code 1 if it is not there."""
    found = store.run(letters.find, Filter(turn=turn))
    if not found:
        raise click.ClickException(f"no dead letter is called {turn}")
    return found[0]


def _as_line(letter: DeadLetter) -> str:
    when = datetime.fromtimestamp(letter.since / 1000, UTC).isoformat(timespec="seconds")
    what = "message" if letter.what == "turn" else "piece"
    return (
        f"{letter.turn}  {when}  account {letter.account}  contact {letter.contact}"
        f"  {letter.count} {what}{'' if letter.count == 1 else 's'}: {letter.reason}"
    )


def _as_json(letter: DeadLetter) -> str:
    return json.dumps({name: getattr(letter, name) for name in DeadLetter.__slots__})


def _millis(since: datetime | None) -> int | None:
    return None if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1000)
