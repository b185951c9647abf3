"""The service as a child process that does not outlive the demo."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

READY_WITHIN = 30.0
_PAUSE = 0.05  # seconds between two looks whether it is ready
_STOP_WITHIN = 30.0

# Linux ends the child even when this process is killed: the kernel sends SIGTERM (15) once the
# parent is gone (prctl 1 is PR_SET_PDEATHSIG), which survives the exec that follows.
_LEASH = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@dataclass(frozen=True, slots=True)
class MetaSide:
    """Meta's side of the configuration: all that the service is told of its Instagram account."""

    graph_url: str
    verify_token: str
    access_token: str
    app_secret: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """The *reason* why a question has no answer; *is_final* if it will get none."""

    reason: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class DemoService:
    """
    A service that can be started: Python runs *arguments* with *environ*.

    *webhook* and *ready* are paths, the latter of what answers 200 once it is ready.
    *agent* is the name of what answers people; an `echo` has to come back whole.
    *trouble_in* tells of a line of the service's log what went wrong by it, if anything.
    """

    arguments: Sequence[str]
    environ: Mapping[str, str]
    webhook: str
    ready: str
    agent: str
    trouble_in: Callable[[str], Trouble | None] = lambda _: None

    @asynccontextmanager
    async def running(self, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run it while the block does, its output in *log*."""
        output = log.open("wb")
        arguments = tuple(self.arguments)
        if sys.platform == "linux":
            arguments = ("-c", _LEASH, str(os.getpid()), *arguments)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                env=self.environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the service
            )
        finally:
            output.close()
        try:
            yield process
        finally:
            await asyncio.shield(stop(process))

    async def until_ready(self, process: asyncio.subprocess.Process, url: str) -> None:
        """Return once the service at *url* says that it is ready; raise `ServiceFailed` if not."""
        try:
            async with asyncio.timeout(READY_WITHIN), aiohttp.ClientSession() as session:
                while not await answers_200(session, f"{url}{self.ready}"):
                    if process.returncode is not None:
                        raise ServiceFailed(
                            f"the service ended with exit code {process.returncode}"
                        )
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise ServiceFailed(f"the service was not ready in {READY_WITHIN:.0f} s") from None


class ServiceFailed(Exception):
    """The service ended, or did not become ready; the message says which."""


async def answers_200(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether a GET of *url* is answered by 200; it may be that nobody listens yet."""
    try:
        async with session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask the service to end, and insist if it does not."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()
