"""`check-config`: what the service would start with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from ak_instagram.masking import MASK, without_password
from ak_instagram.settings import Found, Settings, explain, load
from ak_instagram.settings.keys import plain

from . import options

_WIDEST = 60  # characters of a value


@click.command(epilog="Example: ak-instagram check-config --config config.yaml")
@options.config
def check_config(config: Path | None) -> None:
    """
    Print every setting and its source.

    Of secrets and of the agent's request only the length is shown, of the store's URL all but
    the password, of the agent's all but the query. What is wrong is printed instead, a line
    for each problem, and the exit code is 2.
    """
    asyncio.run(_build_agent(load(config=config)))
    rows = [(found.path, shown(found), found.source) for found in explain(config=config)]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for path, value, source in rows:
        click.echo(f"{path:<{first}}  {value:<{second}}  {source}")


async def _build_agent(settings: Settings) -> None:
    """Make the agent as `serve` does, which opens nothing; `SettingsError` if it can't be."""
    # Here and not above: they take longer to import than the other commands take to run.
    from ak_instagram.agents.registry import build_agent
    from ak_instagram.http_client import open_http_session

    async with open_http_session() as session:
        build_agent(settings.agent, session)


def shown(found: Found) -> str:
    """Return the value of *found* for a screen that others may see."""
    if not found.value and isinstance(found.value, (str, tuple, dict, type(None))):
        return "empty" if found.is_set else "not set"
    if found.path == "store.url":
        return _short(without_password(found.value))
    if found.path == "agent.url":
        return _short(_without_query(found.value))
    is_private = found.key.secret or found.path == "agent.request"  # it may hold a key
    if is_private and found.value != found.key.default:
        unit = "characters" if isinstance(found.value, str) else "values"
        return f"set ({len(found.value)} {unit})"
    return _short(plain(found.value))


def _without_query(url: str) -> str:
    """Return *url* up to its query, which may hold a key."""
    before, mark, _ = url.partition("?")
    return f"{before}?{MASK}" if mark else url


def _short(text: str) -> str:
    """Return *text* in one line that is not too long."""
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 2]} …"
