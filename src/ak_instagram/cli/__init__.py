"""The command `ak-instagram`; each of its commands is a module."""

from __future__ import annotations

from typing import Any

import click

from ak_instagram import __version__
from ak_instagram.errors import SettingsError

from .check_agent import check_agent
from .check_config import check_config
from .dead_letters import dead_letters
from .demo import demo
from .doctor import doctor
from .pause_resume import pause, resume
from .serve import serve
from .sign import sign
from .simulator import simulator
from .subscribe import subscribe
from .sweep import sweep

WRONG_SETTINGS = 2  # as for wrong usage, which click answers itself


class Commands(click.Group):
    """The commands, any of which ends with a line for each problem if the settings are wrong."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what the command returns
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SettingsError as exc:
            click.echo("\n".join(exc.problems), err=True)
            ctx.exit(WRONG_SETTINGS)


@click.group(
    cls=Commands,
    epilog="Exit codes: 0 done, 1 found a problem, 2 wrong usage or settings.",
)
@click.version_option(__version__, prog_name="ak-instagram")
def main() -> None:
    """Answer Instagram DMs with an AI agent."""


for command in (
    serve,
    demo,
    check_config,
    check_agent,
    doctor,
    subscribe,
    sweep,
    sign,
    dead_letters,
    pause,
    resume,
    simulator,
):
    main.add_command(command)
