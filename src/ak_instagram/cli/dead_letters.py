"""`dead-letters`: look at turns that were given up, try them again, or let them go."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
import structlog

from ak_instagram.errors import StoreUnavailable
from ak_instagram.settings import load
from ak_instagram.store import dead_letters as letters
from ak_instagram.store.dead_letters import DeadLetter, Filter
from ak_instagram.store.transactions import Work
from ak_instagram.store.visit import visit

from . import options

T = TypeVar("T")


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at turns that were given up, try them again, or let them go."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--account", help="Only of this professional account's id."),
        click.option("--contact", help="Only of this person (IGSID)."),
        click.option("--since", type=click.DateTime(), help="Only from this time on (UTC)."),
        options.config,
    ):
        command = option(command)
    return command


@dead_letters.command("list", epilog="Example: ak-instagram dead-letters list --since 2026-11-01")
@_filters
@click.option("--limit", default=100, show_default=True, help="At most so many.")
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
    wanted = Filter(account=account, contact=contact, since=_millis(since), most=limit)
    found = in_store(config, partial(letters.find, wanted=wanted))
    for letter in found:
        click.echo(_as_json(letter) if as_json else _as_line(letter))
    if not found and not as_json:
        click.echo("no dead letters")


@dead_letters.command("show", epilog="Example: ak-instagram dead-letters show 1f0c…")
@click.argument("turn")
@options.config
def show(turn: str, config: Path | None) -> None:
    """Show what TURN was about, with the texts: mind who sees the screen."""
    [letter] = _known(config, [turn])
    click.echo(_as_line(letter))
    for kind, payload in in_store(config, partial(letters.contents, turn=turn)):
        click.echo(f"  {kind}: {payload or '(wiped)'}")


@dead_letters.command("replay", epilog="Example: ak-instagram dead-letters replay --all")
@click.argument("turns", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that the filters let through.")
@_filters
def replay(
    turns: Sequence[str],
    everything: bool,
    account: str | None,
    contact: str | None,
    since: datetime | None,
    config: Path | None,
) -> None:
    """
    Try TURNS again: the running service does so within seconds.

    Of an answer only what was not sent goes out. Repeating it is harmless. Nothing is
    tried where a person answers, nor what has been wiped since.
    """
    wanted = Filter(account=account, contact=contact, since=_millis(since), most=1_000_000)
    left = _each(config, turns, everything, wanted, letters.replay, "to be tried again")
    if left:
        click.echo(f"{left} not: a person answers there (see resume), or the texts were wiped")


@dead_letters.command("discard", epilog="Example: ak-instagram dead-letters discard 1f0c…")
@click.argument("turns", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that the filters let through.")
@_filters
def discard(
    turns: Sequence[str],
    everything: bool,
    account: str | None,
    contact: str | None,
    since: datetime | None,
    config: Path | None,
) -> None:
    """Let TURNS go for good."""
    wanted = Filter(account=account, contact=contact, since=_millis(since), most=1_000_000)
    _each(config, turns, everything, wanted, letters.discard, "discarded")


def in_store(config: Path | None, work: Work[T]) -> T:
    """Return what *work* returns, on the store that the settings name; log to stderr."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    try:
        return asyncio.run(visit(load(config=config).store.url, work))
    except StoreUnavailable as exc:
        raise click.ClickException(f"the store can't be used: {exc}") from exc


def _each(
    config: Path | None,
    turns: Sequence[str],
    everything: bool,
    wanted: Filter,
    act: Callable[..., bool],
    done: str,
) -> int:
    """Let *act* happen to each letter that is meant; return for how many it could not."""
    if bool(turns) == everything:
        raise click.UsageError("name turns, or --all")
    named = turns or [it.turn for it in in_store(config, partial(letters.find, wanted=wanted))]
    if not everything:
        _known(config, named)
    count = sum(in_store(config, partial(act, turn=turn)) for turn in named)
    click.echo(f"{count} {done}")
    return len(named) - count


def _known(config: Path | None, turns: Sequence[str]) -> list[DeadLetter]:
    """Return the dead letters called *turns*; end with exit code 1 if one is not there."""
    known = []
    for turn in turns:
        found = in_store(config, partial(letters.find, wanted=Filter(turn=turn)))
        if not found:
            raise click.ClickException(f"no dead letter is called {turn}")
        known += found
    return known


def _as_line(letter: DeadLetter) -> str:
    when = datetime.fromtimestamp(letter.since / 1000, UTC).isoformat(timespec="seconds")
    return (
        f"{letter.turn}  {when}  account {letter.account}  contact {letter.contact}"
        f"  {letter.count} {'messages' if letter.what == 'turn' else 'pieces'}: {letter.reason}"
    )


def _as_json(letter: DeadLetter) -> str:
    return json.dumps({name: getattr(letter, name) for name in DeadLetter.__slots__})


def _millis(since: datetime | None) -> int | None:
    return None if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1000)
