"""Agents on the published a2a-sdk, 1.x and 0.3: each version in an environment of its own."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from qa.support.processes import free_port

SERVERS = Path(__file__).parents[1] / "data/a2a"
STARTS_WITHIN = 60.0  # seconds; its imports alone take two of a core
CARD = "/.well-known/agent-card.json"
UV = Path(sys.executable).with_name("uv")
NEEDS = {
    "server_1x.py": ("a2a-sdk[http-server]==1.3.0", "uvicorn"),
    "server_03.py": ("a2a-sdk[http-server]==0.3.26", "uvicorn"),
}


def environment(cache: Path, server: str) -> Path:
    """
    Return the Python of an environment with what *server* needs.

    It is made in *cache* once for each version. Skips the test where it can't be made.
    """
    name = hashlib.sha256("".join(NEEDS[server]).encode()).hexdigest()[:16]
    folder = cache / name
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--python", sys.executable, folder)
        _uv("pip", "install", "--python", folder, *NEEDS[server])
        ready.touch()
    return folder / "bin/python"


def _uv(*arguments: str | Path) -> None:
    """Run uv, or skip the test with what it says: without a network it can't install."""
    done = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a2a-sdk can't be installed here: {done.stderr.strip()[:500]}")


@asynccontextmanager
async def served(python: Path, server: str, *arguments: str) -> AsyncIterator[str]:
    """Run *server* while the block does; give its root once its card can be had."""
    port = str(free_port())
    process = await asyncio.create_subprocess_exec(python, SERVERS / server, port, *arguments)
    root = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(STARTS_WITHIN), aiohttp.ClientSession() as session:
            while not await _is_there(session, root):
                assert process.returncode is None, f"{server} ended"
                await asyncio.sleep(0.05)
        yield root
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _is_there(session: aiohttp.ClientSession, root: str) -> bool:
    try:
        async with session.get(root + CARD) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
