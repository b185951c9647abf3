"""The demo from beginning to end."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import tempfile
import webbrowser
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from ak_instagram.webhook import PATH
from instagram_simulator.server import PortBusy, listen
from instagram_simulator.simulator import Simulator
from instagram_simulator.values import Account
from instagram_simulator.verification import VerificationFailed

from .environment import adapter_of, service_environment, with_options
from .play import Play, StepFailed
from .service import ServiceFailed, ready, running_service
from .transcript import fact, failed

PORT, SIMULATOR_PORT = 8000, 8001
_TRIES = 50  # ports from the usual one on, if nobody asked for that very port
_TAIL = 12  # lines of the log that are shown when something failed
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; a port of `None` is the usual one or the next free."""

    once: bool = False
    opens_browser: bool = False
    is_verbose: bool = False
    adapter: str | None = None
    agent_url: str | None = None
    port: int | None = None
    simulator_port: int | None = None
    limit: float = 30.0


def run(options: Options) -> int:
    """Run the demo; return its exit code: 0, 1 if a step failed, 130 if it was interrupted."""
    directory = Path(tempfile.mkdtemp(prefix="ak-instagram-demo-"))
    log = None if options.is_verbose else directory / "service.log"
    try:
        return asyncio.run(_run(options, directory, log))
    except (StepFailed, ServiceFailed, VerificationFailed, PortBusy) as exc:
        _explain(exc, log)
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _run(options: Options, directory: Path, log: Path | None) -> int:
    """Run the demo until it is over or a signal ends it."""
    demo = _Demo(options, directory, log)
    work = asyncio.create_task(demo.run())
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, work.cancel)
    with suppress(asyncio.CancelledError):
        await work
    return 0 if demo.has_played else _INTERRUPTED


class _Demo:
    """Simulator, service and conversation, opened in this order and closed in reverse."""

    def __init__(self, options: Options, directory: Path, log: Path | None) -> None:
        self.has_played = False
        self._options = options
        self._directory = directory
        self._log = log
        self._verify_token = secrets.token_hex(8)
        self._meta = Simulator(
            Account(access_token=f"IGAA{secrets.token_hex(24)}", app_secret=secrets.token_hex(16))
        )

    async def run(self) -> None:
        """Start everything, play the conversation, and stay for as long as wanted."""
        port, listener = _ports(self._options)
        async with self._meta.on(listener):
            environ = self._environment(port)
            async with running_service(environ, self._log) as process:
                url = f"http://127.0.0.1:{port}"
                self._introduce(url, adapter_of(environ), process.pid)
                await ready(process, url)
                await self._converse(url, is_echo=adapter_of(environ) == "echo")
                await self._stay(process)

    def _environment(self, port: int) -> dict[str, str]:
        chosen = with_options(os.environ, self._options.adapter, self._options.agent_url)
        return service_environment(
            chosen,
            account=self._meta.account,
            verify_token=self._verify_token,
            graph_url=self._meta.url,
            port=port,
            directory=self._directory,
        )

    def _introduce(self, url: str, adapter: str, pid: int) -> None:
        click.echo()
        click.echo(fact("service", f"{url}  (process {pid}, agent: {adapter})"))
        click.echo(fact("simulator", f"{self._meta.url}  (stands in for Meta)"))
        if self._log:
            click.echo(fact("log", str(self._log)))

    async def _converse(self, url: str, *, is_echo: bool) -> None:
        """Subscribe the webhook and play the conversation of the first person."""
        person, *_ = self._meta.add_people()
        await self._meta.subscribe(f"{url}{PATH}", self._verify_token)
        click.echo(fact("webhook", "verified; every post is signed"))
        click.echo()
        await Play(self._meta, person, is_echo, self._options.limit, click.echo).run()
        self.has_played = True

    async def _stay(self, process: asyncio.subprocess.Process) -> None:
        """Keep everything running until a signal, unless once was enough."""
        if self._options.once:
            click.echo("  Done: three messages in, three whole answers out.")
            return
        click.echo(f"  Chat yourself: {click.style(self._meta.url, bold=True)}  (Ctrl-C ends it)")
        if self._options.opens_browser:
            webbrowser.open(self._meta.url)
        code = await process.wait()
        raise ServiceFailed(f"the service ended with exit code {code}")


def _ports(options: Options) -> tuple[int, socket.socket]:
    """
    Return the service's port and the simulator's listener.

    The usual ports are taken in pairs: as the simulator's is held from now on, two
    demos that start together can't choose the same one for their services.
    """
    for step in range(0, _TRIES, 2):
        try:
            return _pair(
                options.port or PORT + step, options.simulator_port or SIMULATOR_PORT + step
            )
        except PortBusy as exc:
            busy = exc
    raise busy


def _pair(port: int, simulator_port: int) -> tuple[int, socket.socket]:
    listener = listen("127.0.0.1", simulator_port)
    try:
        listen("127.0.0.1", port).close()
    except PortBusy:
        listener.close()
        raise
    return port, listener


def _explain(exc: Exception, log: Path | None) -> None:
    """Say what did not work, and what the service said last; its whole log is kept."""
    click.echo(failed(str(exc)), err=True)
    if log is None or not log.exists():
        return
    for line in log.read_text(errors="replace").splitlines()[-_TAIL:]:
        click.echo(f"    {line}", err=True)
    kept = shutil.copy(log, Path(tempfile.gettempdir(), f"{log.parent.name}.log"))
    click.echo(f"  The whole log: {kept}", err=True)
