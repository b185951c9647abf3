"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file.  [default: what AK_CONFIG names, else ./config.yaml if there]",
)
