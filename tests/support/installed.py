"""Packages of others that tests run beside the service: each set in an environment of its own."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

AGNO = (
    "agno==3.1.10",
    "ag-ui-protocol==1.0.0",
    "fastapi",
    "python-multipart",
    "sqlalchemy",
    "uvicorn",
)
STARTS_WITHIN = 60.0  # seconds; imports alone take some of a core
UV = Path(sys.executable).with_name("uv")


def installed(cache: Path, *requirements: str, on: Path | None = None) -> Path:
    """
    Return the Python of an environment with *requirements*, *on* the Python that runs this.

    It is made in *cache* once for each set. Skips the test where it can't be made.
    """
    folder = cache / hashlib.sha256("".join(requirements).encode()).hexdigest()[:16]
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--python", on or sys.executable, folder)
        _uv("pip", "install", "--python", folder, *requirements)
        ready.touch()
    return folder / "bin/python"


def _uv(*arguments: str | Path) -> None:
    """Run uv, or skip the test with what it says: without a network it can't install."""
    done = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"can't be installed here: {done.stderr.strip()[:500]}")


@asynccontextmanager
async def served(
    *command: str | Path, root: str, path: str = "/", environ: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """
    Run *command* while the block does, with *environ* beside our own variables.

    Gives *root* once that answers 200 at *path*.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **(environ or {})},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(STARTS_WITHIN), aiohttp.ClientSession() as session:
            while not await _is_there(session, root + path):
                assert process.returncode is None, f"{command[1]} ended"
                await asyncio.sleep(0.05)
        yield root
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _is_there(session: aiohttp.ClientSession, url: str) -> bool:
    with suppress(aiohttp.ClientError):
        async with session.get(url) as response:
            return response.status == 200
    return False
