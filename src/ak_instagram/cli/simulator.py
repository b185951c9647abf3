"""`simulator`: Meta's side alone, for a service that runs elsewhere."""

from __future__ import annotations

from importlib.util import find_spec

import click

from ak_instagram.settings.value_types import http_url
from ak_instagram.webhook import PATH

_NOT_INSTALLED = (
    "This needs the simulator, a package of its own: pip install instagram-simulator,"
    " or pip install ./src/instagram_simulator in a checkout."
)


def need_simulator(ctx: click.Context) -> None:
    """End the command with 2 and one line if the simulator is not installed."""
    if find_spec("instagram_simulator") is None:
        click.echo(_NOT_INSTALLED, err=True)
        ctx.exit(2)


def webhook_url(_context: click.Context, _option: click.Parameter, url: str) -> str:
    """Refuse what nothing can be posted to, which would be waited for without end."""
    try:
        http_url(url)
    except ValueError as reason:
        raise click.BadParameter(str(reason)) from None
    return url


@click.command(epilog="Example: ak-instagram simulator --verify-token a-long-random-text")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8001,
    show_default=True,
    help="The page's and the Graph API's; 0 takes a free one.",
)
@click.option(
    "--webhook",
    callback=webhook_url,
    default=f"http://127.0.0.1:8000{PATH}",
    show_default=True,
    help="The service's webhook; waited for if it is not up yet.",
)
@click.option(
    "--verify-token",
    envvar="AK_INSTAGRAM__VERIFY_TOKEN",
    default="simulator-verify-token",
    show_default=True,
    help="The service's instagram.verify_token.",
)
@click.pass_context
def simulator(ctx: click.Context, host: str, port: int, webhook: str, verify_token: str) -> None:
    """
    Run a simulated Instagram until a signal ends it.

    Prints the settings that a service needs to take it for Meta, subscribes the
    service's webhook as soon as it answers, and serves a page to chat on. Whoever
    reaches it may do everything: keep it on a network of your own.
    """
    need_simulator(ctx)
    # Here and not above: the simulator's libraries take longer to import than the
    # other commands take to run.
    from instagram_simulator.standalone import run

    ctx.exit(run(host, port, webhook, verify_token, prefix="AK_INSTAGRAM__"))
