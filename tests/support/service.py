"""The real service: a process of its own that knows nothing but its environment."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from qa.support.processes import free_port, variable

WITHIN = 10.0  # seconds that anything may take before a test gives up on it
LONGEST_LINE = 1 << 20


class Service:
    """
    `python -m ak_instagram serve` in an empty *folder*, with *settings* by their keys.

    It may be killed and started again: port, store and log stay the same.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook = f"{self.url}/instagram/webhook"
        self.store = folder / "store.db"
        self.lines: list[str] = []
        self._folder = folder
        self.settings = {
            "server.host": "127.0.0.1",
            "server.port": str(self.port),
            "store.url": f"sqlite:///{self.store}",
            **settings,
        }
        self._news = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and return once it is ready."""
        seen = len(self.lines)
        await self.launch()
        await self.until_logged(lambda line: "running on" in line["event"], after=seen)
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as probe:
            assert probe.status == 200, await probe.text()

    async def launch(self) -> None:
        """Start it, whatever becomes of that."""
        self._process = await self._start("serve")
        self._reading = asyncio.create_task(self._read(self._process.stdout))

    async def _start(self, *arguments: str) -> asyncio.subprocess.Process:
        ours = {variable(key): value for key, value in self.settings.items()}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "ak_instagram", *arguments),
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], **ours},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LONGEST_LINE,
        )

    async def kill(self) -> None:
        """End it as a power cut would: `kill -9`."""
        self._process.kill()
        await self.ended()

    def terminate(self) -> None:
        """Ask it to end, as an orchestrator does: `SIGTERM`."""
        self._process.terminate()

    def interrupt(self) -> None:
        """Ask it to end, as a person at its terminal does: `SIGINT`."""
        self._process.send_signal(signal.SIGINT)

    def stall(self) -> None:
        """Let it stand still, as a paused machine does: `SIGSTOP`."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on as if nothing had happened: `SIGCONT`."""
        self._process.send_signal(signal.SIGCONT)

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run another command with its settings, beside it; return exit code and output."""
        process = await self._start(*arguments)
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    async def stop(self) -> int:
        """End it in order, if it runs, and return its exit code."""
        if self._process.returncode is None:
            self.terminate()
        return await self.ended()

    async def ended(self, within: float = WITHIN) -> int:
        """Return its exit code once it has ended and all it said has been read."""
        async with asyncio.timeout(within):
            await self._reading
            return await self._process.wait()

    # --- what it says ---------------------------------------------------------

    async def until_logged(
        self, matches: Callable[[dict[str, Any]], bool], *, after: int = 0, within: float = WITHIN
    ) -> dict[str, Any]:
        """Return the first line after the first *after* that *matches*, once there is one."""
        async with asyncio.timeout(within), self._news:
            while not (found := [line for line in self.logged(after) if matches(line)]):
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
        return json.loads(line)
    except ValueError:
        return {"event": line}
