"""A replica: the service under an orchestrator that starts it again, however it ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from qa.support.service import Service

PAUSE = 0.3  # seconds from an end to the next start


class Replica:
    """The service with *settings*, as often as it ends; its log is a file in *folder*."""

    def __init__(self, folder: Path, number: int, settings: Mapping[str, str]) -> None:
        self.log = folder / f"replica-{number}.log"
        self._service = Service(folder, settings, self.log)
        self.port = self._service.port
        self.send = self._service.send
        self.ready = self._service.ready
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

    async def stall(self, seconds: float) -> None:
        """Stop it for *seconds*, as a paused machine does."""
        self._service.stall()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._service.go_on()

    async def _keep_running(self) -> None:
        while not self._ending:
            await self._service.launch()
            await self._service.ended(within=None)
            await asyncio.sleep(0 if self._ending else PAUSE)
