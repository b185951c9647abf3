"""The service as a process: `python -m ak_instagram`, which knows nothing but its environment."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

from qa.support.processes import free_port, variable, wait_until_ready


class Process(Protocol):
    """A command that was started, as `asyncio.subprocess` has it."""

    pid: int
    stdout: asyncio.StreamReader | None

    @property
    def returncode(self) -> int | None:
        """The exit code, `None` while it runs."""

    def send_signal(self, number: int, /) -> None:
        """Send a signal to it."""

    async def wait(self) -> int:
        """Return its exit code once it has ended."""

    async def communicate(self, said: bytes, /) -> tuple[bytes, object]:
        """Give it *said*, and return its output once it has ended."""


Start: TypeAlias = Callable[
    [Sequence[str], Path, Mapping[str, str], int | IO[bytes]], Awaitable[Process]
]
"""Runs the command with arguments, in a folder, with an environment; where its output goes."""

WITHIN = 10.0  # seconds that anything may take before a test gives up on it
LONGEST_LINE = 1 << 20


def command(*arguments: str) -> list[str]:
    """Return the command line that runs the service's command with *arguments*."""
    return [sys.executable, "-m", "ak_instagram", *arguments]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process with *settings* by their keys and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "AK_CONFIG": "", **{variable(key): it for key, it in settings.items()}}


async def started(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: int | IO[bytes],
) -> asyncio.subprocess.Process:
    """Start Python with the command and *arguments*."""
    return await asyncio.create_subprocess_exec(
        *command(*arguments),
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=output,
        stderr=asyncio.subprocess.STDOUT,
        limit=LONGEST_LINE,
    )


class Service:
    """
    `serve` in *folder*, with *settings* by their keys.

    It may be killed and started again: port, store and log stay the same. The log is read as it
    is written, into `lines`; with *log* it goes to that file instead. *start* begins a command.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        log: Path | None = None,
        start: Start = started,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook = f"{self.url}/instagram/webhook"
        self.store = folder / "store.db"
        self.lines: list[str] = []
        self.log = log
        self._folder = folder
        self.settings = {
            "server.host": "127.0.0.1",
            "server.port": str(self.port),
            "store.url": f"sqlite:///{self.store}",
            **settings,
        }
        self._news = asyncio.Condition()
        self._start_command = start
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and return once it is ready."""
        seen = len(self.lines)
        await self.launch()
        await self.until_logged(lambda line: "running on" in line["event"], after=seen)
        await self.ready()

    async def launch(self) -> None:
        """Start it, whatever becomes of that."""
        if self.log is None:
            self._process = await self._start("serve", output=asyncio.subprocess.PIPE)
            assert self._process.stdout is not None
            self._reading = asyncio.create_task(self._read(self._process.stdout))
            return
        with self.log.open("ab") as output:
            self._process = await self._start("serve", output=output)

    async def ready(self) -> None:
        """Return once it says that it is ready; raise `processes.NotReady` if it never does."""
        await asyncio.to_thread(wait_until_ready, self.port)

    async def _start(self, *arguments: str, output: int | IO[bytes]) -> Process:
        known = environment(self.settings)
        return await self._start_command(arguments, self._folder, known, output)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, if there is one."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """End it as a power cut would: `kill -9`."""
        self.send(signal.SIGKILL)
        await self.ended()

    def terminate(self) -> None:
        """Ask it to end, as an orchestrator does: `SIGTERM`."""
        self.send(signal.SIGTERM)

    def interrupt(self) -> None:
        """Ask it to end, as a person at its terminal does: `SIGINT`."""
        self.send(signal.SIGINT)

    def stall(self) -> None:
        """Let it stand still, as a paused machine does: `SIGSTOP`."""
        self.send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on as if nothing had happened: `SIGCONT`."""
        self.send(signal.SIGCONT)

    def fill_disk(self) -> None:
        """Refuse it whatever it writes to a file, as a full disk does; Linux only."""
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def free_disk(self) -> None:
        """Let it write again."""
        assert self._process is not None
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, unlimited)

    async def command(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """Run another command with its settings, beside it; return exit code and output."""
        process = await self._start(*arguments, output=asyncio.subprocess.PIPE)
        output, _ = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def stop(self) -> int:
        """End it in order, if it runs, and return its exit code."""
        self.terminate()
        return await self.ended()

    async def ended(self, within: float | None = WITHIN) -> int:
        """Return its exit code once it has ended and all it said has been read."""
        assert self._process is not None
        async with asyncio.timeout(within):
            if self._reading is not None:
                await self._reading
            return await self._process.wait()

    # --- what it says ---------------------------------------------------------

    async def until_logged(
        self, matches: Callable[[dict[str, Any]], bool], *, after: int = 0, within: float = WITHIN
    ) -> dict[str, Any]:
        """Return the first line after the first *after* that *matches*, once there is one."""
        async with asyncio.timeout(within), self._news:
            while not (found := [line for line in self.logged(after) if matches(line)]):
                assert self._reading is not None
                assert not self._reading.done(), "it ended:\n" + "\n".join(self.lines)
                await self._news.wait()
            return found[0]

    def logged(self, after: int = 0) -> list[dict[str, Any]]:
        """Return its log lines as values; what is no JSON is an event without anything else."""
        return [_parsed(line) for line in self.lines[after:]]

    async def _read(self, output: asyncio.StreamReader) -> None:
        async for line in output:
            await self._tell(line.decode().rstrip())
        async with self._news:
            self._news.notify_all()

    async def _tell(self, line: str) -> None:
        async with self._news:
            self.lines.append(line)
            self._news.notify_all()


def _parsed(line: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"event": line}
    return parsed
