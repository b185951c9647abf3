"""`serve`: run the service."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from ak_instagram import logs
from ak_instagram.settings import load

from . import options


@click.command(epilog="Example: ak-instagram serve --config /etc/ak-instagram/config.yaml")
@options.config
@click.pass_context
def serve(ctx: click.Context, config: Path | None) -> None:
    """Run the service until a signal ends it."""
    # As PID 1 of a container a process ignores what it has no handler for.
    signal.signal(signal.SIGTERM, lambda *_: ctx.exit(0))
    settings = load(config=config)
    logs.configure(settings.logs, secrets=settings.secrets)
    # Here and not above: the server's libraries take longer to import than the other
    # commands take to run.
    from ak_instagram import server

    ctx.exit(server.serve(settings))
