"""A process of the service under an orchestrator: however it ends, it is started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from qa.support.processes import free_port, variable, wait_until_ready

PAUSE = 0.3  # seconds from an end to the next start


class Replica:
    """`python -m ak_instagram serve` with *settings*; its log is a file in *folder*."""

    def __init__(self, folder: Path, number: int, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self.log = folder / f"replica-{number}.log"
        ours = {**settings, "server.host": "127.0.0.1", "server.port": str(self.port)}
        self._environment = {
            "PATH": os.environ["PATH"],
            "AK_CONFIG": "",
            **({"PYTHONPATH": path} if (path := os.environ.get("PYTHONPATH")) else {}),
            **{variable(key): value for key, value in ours.items()},
        }
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._ending = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Replica]:
        """Keep it running while the block does, then end it."""
        keeping = asyncio.create_task(self._keep_running())
        try:
            await self.ready()
            yield self
        finally:
            self._ending = True
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            await keeping

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, if there is one."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def stall(self, seconds: float) -> None:
        """Stop it for *seconds*, as a paused machine does."""
        self.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.send(signal.SIGCONT)

    async def ready(self) -> None:
        """Return once it answers that it is ready."""
        await asyncio.to_thread(wait_until_ready, self.port)

    async def _keep_running(self) -> None:
        while not self._ending:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "ak_instagram", "serve"),
                    cwd=self._folder,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                )
            await self._process.wait()
            await asyncio.sleep(0 if self._ending else PAUSE)
