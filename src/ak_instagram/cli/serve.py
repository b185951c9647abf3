"""`serve`: run the service."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import click

from ak_instagram import logs
from ak_instagram.settings.sources import CONFIG

from .shared import config_option, load_settings


@click.command(epilog="Example: ak-instagram serve --config /etc/ak-instagram/config.yaml")
@config_option
@click.pass_context
def serve(ctx: click.Context, config: Path | None) -> None:
    """Run the service until a signal ends it."""
    # As PID 1 of a container a process ignores what it has no handler for.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A tenth of the start would go into looking for garbage among what is imported and stays;
    # the collector is back, tuned, before the first request.
    gc.disable()
    try:
        if config is not None:
            # For the console, which shows where each setting comes from.
            os.environ[CONFIG] = str(config.absolute())
        settings = load_settings(config)
        logs.configure(settings.logs.level, settings.logs.format, secrets=settings.secrets)
        # Here and not above: the server's libraries take longer to import than the other
        # commands take to run.
        from ak_instagram import server

        code = server.serve(settings)
    except KeyboardInterrupt:  # a signal before the server listens for signals
        code = 0
    ctx.exit(code)
