"""The command `ak-instagram`; each of its commands is a module."""

from __future__ import annotations

from typing import Any

import click

from ak_instagram import __version__
from ak_instagram.errors import SettingsError

from .checks.check_agent import check_agent
from .checks.check_config import check_config
from .checks.doctor import doctor
from .checks.sign import sign
from .demo import demo
from .instagram.accounts import accounts
from .instagram.profile import profile
from .instagram.subscribe import subscribe
from .instagram.sweep import sweep
from .instagram.token import token
from .people.dead_letters import dead_letters
from .people.pause_resume import pause, resume
from .people.person import person
from .people.send import send
from .serve import serve
from .simulator import simulator

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
    send,
    dead_letters,
    pause,
    resume,
    person,
    profile,
    accounts,
    token,
    simulator,
):
    main.add_command(command)
