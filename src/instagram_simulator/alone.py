"""The simulator on its own: in a container, or beside a service that was started by hand."""

from __future__ import annotations

import asyncio
import signal
from urllib.parse import urlsplit

import click

from .server import PortBusy, listen
from .simulator import Simulator
from .verification import VerificationFailed

PAUSE = 1.0  # seconds between two tries to subscribe
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


def run(host: str, port: int, webhook: str, verify_token: str) -> int:
    """Run until a signal comes; return 0, or 1 if the port is taken."""
    try:
        asyncio.run(_run(host, port, webhook, verify_token))
    except PortBusy as exc:
        click.echo(str(exc), err=True)
        return 1
    return 0


async def _run(host: str, port: int, webhook: str, verify_token: str) -> None:
    over = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, over.set)
    meta = Simulator()
    async with meta.on(listen(host, port)):
        meta.add_people()
        _introduce(meta, host, verify_token)
        subscribing = asyncio.create_task(_subscribe(meta, webhook, verify_token))
        await over.wait()
        subscribing.cancel()
        await asyncio.gather(subscribing, return_exceptions=True)


def _introduce(meta: Simulator, host: str, verify_token: str) -> None:
    """Print what the service has to be told; none of it is a secret worth anything."""
    url = f"http://localhost:{urlsplit(meta.url).port}" if host in _EVERYWHERE else meta.url
    click.echo(f"Chat on {url}. The service needs:")
    click.echo(f"  AK_INSTAGRAM__GRAPH_URL={url}")
    click.echo(f"  AK_INSTAGRAM__VERIFY_TOKEN={verify_token}")
    click.echo(f"  AK_INSTAGRAM__ACCESS_TOKEN={meta.account.access_token}")
    click.echo(f"  AK_INSTAGRAM__APP_SECRET={meta.account.app_secret}")


async def _subscribe(meta: Simulator, webhook: str, verify_token: str) -> None:
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
