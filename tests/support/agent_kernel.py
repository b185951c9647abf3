"""The example's Agent Kernel server: the published package in an environment of its own."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/agent-kernel"
LOCK = EXAMPLE / "requirements.lock"
VERSIONS = ("3.12", "3.13")  # what agentkernel 0.9 asks for
STARTS_WITHIN = 60.0  # seconds; its imports alone take four of a core
RUNNING = "Uvicorn running on"
UV = Path(sys.executable).with_name("uv")


def environment(cache: Path) -> Path:
    """
    Return the Python of an environment with what the example's lock names.

    It is made in *cache* once for each lock. Skips the test where it can't be made.
    """
    folder = cache / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    ready = folder / "ready"
    if not ready.exists():
        _make(folder)
        ready.touch()
    return folder / "bin/python"


def _make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _uv("venv", "--python", any_python(), folder)
    _uv("pip", "install", "--require-hashes", "--python", folder, "--requirement", LOCK)


def _uv(*arguments: str | Path) -> None:
    """Run uv, or skip the test with what it says: without a network it can't install."""
    done = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"Agent Kernel can't be installed here: {done.stderr.strip()[:500]}")


def any_python() -> Path:
    """Return a Python that Agent Kernel runs on."""
    for candidate in _candidates():
        if _version(candidate) in VERSIONS:
            return candidate
    pytest.skip(f"Agent Kernel needs Python {' or '.join(VERSIONS)}, and there is none")


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    yield from (Path(found) for it in VERSIONS if (found := shutil.which(f"python{it}")))
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (path for it in VERSIONS for path in pyenv.glob(f"versions/{it}.*/bin/python"))


def _version(python: Path) -> str:
    """Return its version, empty if it does not run: pyenv has stand-ins that only complain."""
    tell = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", tell], capture_output=True, text=True).stdout.strip()


@asynccontextmanager
async def served(python: Path, environ: Mapping[str, str]) -> AsyncIterator[None]:
    """Run the example with *environ* while the block does; begin once it takes requests."""
    process = await asyncio.create_subprocess_exec(
        *(python, "app.py"),
        cwd=EXAMPLE,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said: list[str] = []
    assert process.stdout is not None
    reading = asyncio.create_task(_read(process.stdout, said, running := asyncio.Event()))
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            await running.wait()
        assert any(RUNNING in line for line in said), "".join(said)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reading


async def _read(output: asyncio.StreamReader, said: list[str], running: asyncio.Event) -> None:
    """Keep what it says; set *running* when it says so, and at its end."""
    async for line in output:
        said.append(line.decode())
        if RUNNING in said[-1]:
            running.set()
    running.set()
