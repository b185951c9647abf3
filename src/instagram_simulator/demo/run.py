"""The demo from beginning to end: simulator, service, conversation."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import socket
import tempfile
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import click

from instagram_simulator.listener import PortBusy, listen
from instagram_simulator.simulator import Simulator
from instagram_simulator.values import ProfessionalAccount
from instagram_simulator.webhooks.post import VerificationFailed

from .conversation import Play, StepFailed, fact, failed, happened
from .service import DemoService, MetaSide, ServiceFailed

PORT, SIMULATOR_PORT = 8000, 8001
_TRIES = 50  # ports from the usual one on, if nobody asked for that very port
_TAIL = 12  # lines of the log that are shown when something failed
_INTERRUPTED = 130
_PAUSE = 0.05  # seconds between two looks at the log

# Returns the service for Meta's side, a port to listen on and a folder for its data.
Configure: TypeAlias = Callable[[MetaSide, int, Path], DemoService]


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of the command line; a port of `None` is the usual one or the next free."""

    once: bool = False
    opens_browser: bool = False
    is_verbose: bool = False
    port: int | None = None
    simulator_port: int | None = None
    limit: float = 30.0


def run(options: DemoOptions, configure: Configure) -> int:
    """Run the demo; return its exit code: 0, 1 if a step failed, 130 if it was interrupted."""
    directory = Path(tempfile.mkdtemp(prefix="instagram-demo-"))
    log = directory / "service.log"
    try:
        return asyncio.run(run_until_signal(Demo(options, configure, directory, log)))
    except (StepFailed, ServiceFailed, VerificationFailed, PortBusy) as exc:
        click.echo(failed(str(exc)), err=True)
        if log.exists():
            show_end_of(log)
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def run_until_signal(demo: Demo) -> int:
    """Run *demo* until it is over or a signal ends it."""
    work = asyncio.create_task(demo.run())
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, work.cancel)
    with suppress(asyncio.CancelledError):
        await work
    return 0 if demo.has_played else _INTERRUPTED


class Demo:
    """Simulator, service and conversation, opened in this order and closed in reverse."""

    def __init__(
        self, options: DemoOptions, configure: Configure, directory: Path, log: Path
    ) -> None:
        self.has_played = False
        self._latest_reason = ""  # why there is no answer yet, by the service's log
        self._options = options
        self._configure = configure
        self._directory = directory
        self._log = log
        self._meta = Simulator(
            ProfessionalAccount(
                access_token=f"IGAA{secrets.token_hex(24)}", app_secret=secrets.token_hex(16)
            )
        )

    async def run(self) -> None:
        """Start everything, play the conversation, and stay for as long as wanted."""
        port, listener = free_ports(self._options)
        async with self._meta.on(listener):
            account, token = self._meta.account, secrets.token_hex(8)
            side = MetaSide(self._meta.url, token, account.access_token, account.app_secret)
            service = self._configure(side, port, self._directory)
            async with service.running(self._log) as process:
                url = f"http://127.0.0.1:{port}"
                self.introduce(url, service.agent, process.pid)
                await service.until_ready(process, url)
                watch = asyncio.create_task(self.watch(service))
                play = asyncio.create_task(self.converse(url, service, token))
                try:
                    await asyncio.wait({play, watch}, return_when=asyncio.FIRST_COMPLETED)
                    if watch.done():
                        await watch  # raises what it has found
                    await play
                    await self.stay(process)
                finally:
                    play.cancel()
                    watch.cancel()

    def introduce(self, url: str, agent: str, pid: int) -> None:
        """Print the parts that play, and their addresses."""
        click.echo()
        click.echo(fact("service", f"{url}  (process {pid}, agent: {agent})"))
        click.echo(fact("simulator", f"{self._meta.url}  (stands in for Meta)"))
        click.echo(fact("log", str(self._log)))
        click.echo(fact("data", f"{self._directory}  (removed at the end)"))

    async def watch(self, service: DemoService) -> None:
        """
        Show what goes wrong as *service*'s log tells it, and with `--verbose` all of the log.

        Raises `StepFailed` when a question of the script gets no answer for good.
        """
        with self._log.open(errors="replace") as log:
            line = ""
            while True:
                line += log.readline()
                if not line.endswith("\n"):
                    await asyncio.sleep(_PAUSE)  # a file tells nobody that it grows
                    continue
                if self._options.is_verbose:
                    click.echo(line.rstrip())
                if trouble := service.trouble_in(line):
                    if trouble.is_final and not self.has_played:
                        raise StepFailed(f"the agent has failed: {trouble.reason}")
                    self._latest_reason = f": {trouble.reason}"
                    click.echo(happened(f"no answer yet: {trouble.reason}"))
                line = ""

    async def converse(self, url: str, service: DemoService, verify_token: str) -> None:
        """Subscribe the webhook and play the conversation of the first person."""
        person, *_ = self._meta.add_people()
        await self._meta.subscribe(f"{url}{service.webhook}", verify_token)
        click.echo(fact("webhook", "verified; every post is signed"))
        click.echo()
        is_echo = service.agent == "echo"
        try:
            await Play(self._meta, person, is_echo, self._options.limit, click.echo).run()
        except StepFailed as exc:
            raise StepFailed(f"{exc}{self._latest_reason}") from None
        self.has_played = True

    async def stay(self, process: asyncio.subprocess.Process) -> None:
        """Keep everything running until a signal, unless once was enough."""
        if self._options.once:
            click.echo("  Done: three messages in, three whole answers out.")
            return
        click.echo(f"  Chat yourself: {click.style(self._meta.url, bold=True)}  (Ctrl-C ends it)")
        if self._options.opens_browser:
            webbrowser.open(self._meta.url)
        code = await process.wait()
        raise ServiceFailed(f"the service ended with exit code {code}")


def free_ports(options: DemoOptions) -> tuple[int, socket.socket]:
    """
    Return the service's port and the simulator's listener.

    The usual ports are taken in pairs: as the simulator's is held from now on, two
    demos that start together can't choose the same one for their services.
    """
    for step in range(0, _TRIES, 2):
        port = options.port or PORT + step
        try:
            listener = listen("127.0.0.1", options.simulator_port or SIMULATOR_PORT + step)
            try:
                listen("127.0.0.1", port).close()
            except PortBusy:
                listener.close()
                raise
            return port, listener
        except PortBusy as exc:
            busy = exc
    raise busy


def show_end_of(log: Path) -> None:
    """Show the last lines of *log*, and keep all of it."""
    for line in log.read_text(errors="replace").splitlines()[-_TAIL:]:
        click.echo(f"    {line}", err=True)
    kept = shutil.copy(log, Path(tempfile.gettempdir(), f"{log.parent.name}.log"))
    click.echo(f"  The whole log: {kept}", err=True)
