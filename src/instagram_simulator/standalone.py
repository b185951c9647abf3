"""The simulator on its own: in a container, or beside a service that was started by hand."""

from __future__ import annotations

import asyncio
import signal
from urllib.parse import urlsplit

import click

from .listener import PortBusy, listen
from .simulator import Simulator
from .webhooks.post import VerificationFailed

WEBHOOK = "http://127.0.0.1:8000/instagram/webhook"
PORT = 8001
VERIFY_TOKEN = "simulator-verify-token"  # noqa: S105 - opens nothing but a simulator
PAUSE = 1.0  # seconds between two attempts to subscribe
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


@click.command(epilog="Example: python -m instagram_simulator --webhook http://localhost:9000/hook")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="The page's and the Graph API's; 0 takes a free one.",
)
@click.option(
    "--webhook",
    default=WEBHOOK,
    show_default=True,
    help="The service's webhook; waited for if it is not up yet.",
)
@click.option(
    "--verify-token",
    envvar="VERIFY_TOKEN",
    default=VERIFY_TOKEN,
    show_default=True,
    help="The token that the webhook knows.  [env: VERIFY_TOKEN]",
)
@click.pass_context
def main(ctx: click.Context, host: str, port: int, webhook: str, verify_token: str) -> None:
    """
    Run a simulated Instagram until a signal ends it.

    Prints the settings that a service needs to take it for Meta, subscribes the
    service's webhook as soon as it answers, and serves a page to chat on. Whoever
    reaches it may do everything: keep it on a network of your own.
    """
    if urlsplit(webhook).scheme not in ("http", "https") or not urlsplit(webhook).netloc:
        raise click.BadParameter(f"{webhook!r} is not a URL of http or https", param_hint="webhook")
    ctx.exit(run(host, port, webhook, verify_token))


def run(host: str, port: int, webhook: str, verify_token: str, *, prefix: str = "") -> int:
    """
    Run until a signal comes; return 0, or 1 if the port is taken.

    The settings are printed as variables whose names begin with *prefix*.
    """
    try:
        asyncio.run(run_until_signal(host, port, webhook, verify_token, prefix))
    except PortBusy as exc:
        click.echo(str(exc), err=True)
        return 1
    return 0


async def run_until_signal(
    host: str, port: int, webhook: str, verify_token: str, prefix: str
) -> None:
    """Run the simulator, its webhook subscribed as soon as that answers, until a signal comes."""
    over = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, over.set)
    meta = Simulator()
    async with meta.on(listen(host, port)):
        meta.add_people()
        url = meta.url
        if host in _EVERYWHERE:
            url = f"http://localhost:{urlsplit(url).port}"
        click.echo(f"Chat on {url}. The service needs:")
        for name, value in (
            ("GRAPH_URL", url),
            ("VERIFY_TOKEN", verify_token),
            ("ACCESS_TOKEN", meta.account.access_token),
            ("APP_SECRET", meta.account.app_secret),
        ):
            click.echo(f"  {prefix}{name}={value}")
        subscribing = asyncio.create_task(subscribe(meta, webhook, verify_token))
        await over.wait()
        subscribing.cancel()
        await asyncio.gather(subscribing, return_exceptions=True)


async def subscribe(meta: Simulator, webhook: str, verify_token: str) -> None:
    """Subscribe the webhook once it passes Meta's check; say each new reason why it does not."""
    reason = ""
    while True:
        try:
            await meta.subscribe(webhook, verify_token)
        except VerificationFailed as exc:
            if str(exc) != reason:
                reason = str(exc)
                click.echo(f"Waiting for {webhook}: {reason}")
            await asyncio.sleep(PAUSE)
        else:
            click.echo(f"The webhook {webhook} is verified.")
            return
