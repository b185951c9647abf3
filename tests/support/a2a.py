"""Agents on the published a2a-sdk, 1.x and 0.3: each version in an environment of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from qa.support.processes import free_port
from tests.support.installed import installed

SERVERS = Path(__file__).parents[1] / "data/a2a"
STARTS_WITHIN = 60.0  # seconds; its imports alone take two of a core
CARD = "/.well-known/agent-card.json"
NEEDS = {
    "server_1x.py": ("a2a-sdk[http-server]==1.3.0", "uvicorn"),
    "server_03.py": ("a2a-sdk[http-server]==0.3.26", "uvicorn"),
}


def environment(cache: Path, server: str) -> Path:
    """Return the Python of an environment in *cache* with what *server* needs, or skip."""
    return installed(cache, *NEEDS[server])


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
