"""`check-config`: what the service would start with."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten

import click

from ak_instagram.settings import Found, explain
from ak_instagram.settings.keys import plain

from . import options

_WIDEST = 60  # characters of a value


@click.command(epilog="Example: ak-instagram check-config --config config.yaml")
@options.config
def check_config(config: Path | None) -> None:
    """
    Print every setting and its source.

    Of secrets only the length is shown. What is wrong is printed instead, a line for
    each problem, and the exit code is 2.
    """
    rows = [(found.path, shown(found), found.source) for found in explain(config=config)]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for path, value, source in rows:
        click.echo(f"{path:<{first}}  {value:<{second}}  {source}")


def shown(found: Found) -> str:
    """Return the value of *found* for a screen that others may see."""
    if not found.value and isinstance(found.value, (str, tuple, dict, type(None))):
        return "empty" if found.is_set else "not set"
    if found.key.secret and found.value != found.key.default:
        unit = "characters" if isinstance(found.value, str) else "values"
        return f"set ({len(found.value)} {unit})"
    return shorten(plain(found.value), _WIDEST, placeholder=" …")
