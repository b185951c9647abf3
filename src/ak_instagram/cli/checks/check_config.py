"""`check-config`: the settings that the service would start with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from ak_instagram.cli.shared import config_option, load_settings
from ak_instagram.settings import Settings, explain
from ak_instagram.settings.sources import shown


@click.command(epilog="Example: ak-instagram check-config --config config.yaml")
@config_option
def check_config(config: Path | None) -> None:
    """
    Print every setting and its source.

    Of secrets and of the agent's request only the length is shown, of the store's URL all but
    the password, of the agent's all but the query. What is wrong is printed instead, a line
    for each problem, and the exit code is 2.
    """
    # Here and not above: the adapters take longer to import than `--help` should.
    from ak_instagram.agents import registry

    asyncio.run(try_agent(load_settings(config)))
    found = explain(config=config, adapters=registry)
    rows = [(each.path, shown(each), each.source) for each in found]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for path, value, source in rows:
        click.echo(f"{path:<{first}}  {value:<{second}}  {source}")


async def try_agent(settings: Settings) -> None:
    """Make the agent as `serve` does, which opens nothing; `SettingsError` if it can't be."""
    # Here and not above: they take longer to import than the other commands take to run.
    from ak_instagram.agents.registry import build_agent
    from ak_instagram.http_client import open_http_session

    async with open_http_session(outgoing_proxies=False) as session:
        build_agent(settings.agent, session)
