"""The service as a child process that does not outlive the demo."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

READY_WITHIN = 30.0
_PAUSE = 0.05  # seconds between two looks at /readyz
_STOP_WITHIN = 30.0

_SERVE = ("-m", "ak_instagram", "serve")

# Linux ends the child even when this process is killed: the kernel sends SIGTERM (15) once the
# parent is gone (prctl 1 is PR_SET_PDEATHSIG), which survives the exec that follows.
_LEASH = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


class ServiceFailed(Exception):
    """The service ended, or did not become ready; the message says which."""


@asynccontextmanager
async def running_service(
    environ: Mapping[str, str], log: Path | None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the service while the block does, its output in *log* (`None`: on the terminal)."""
    output = log.open("wb") if log else None
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *_command(),
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the service
        )
    finally:
        if output:
            output.close()
    try:
        yield process
    finally:
        await asyncio.shield(_stop(process))


async def ready(process: asyncio.subprocess.Process, url: str) -> None:
    """Return once the service at *url* says that it is ready; raise `ServiceFailed` if not."""
    try:
        async with asyncio.timeout(READY_WITHIN), aiohttp.ClientSession() as session:
            while not await _says_ready(session, url):
                if process.returncode is not None:
                    raise ServiceFailed(f"the service ended with exit code {process.returncode}")
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise ServiceFailed(f"the service was not ready in {READY_WITHIN:.0f} s") from None


def _command() -> tuple[str, ...]:
    if sys.platform == "linux":
        return ("-c", _LEASH, str(os.getpid()), *_SERVE)
    return _SERVE


async def _says_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/readyz") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask the service to end, and insist if it does not."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()
