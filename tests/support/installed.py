"""Packages of others that tests run beside the service: each set in an environment of its own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UV = Path(sys.executable).with_name("uv")


def installed(cache: Path, *requirements: str) -> Path:
    """
    Return the Python of an environment with *requirements*, on the Python that runs this.

    It is made in *cache* once for each set. Skips the test where it can't be made.
    """
    folder = cache / hashlib.sha256("".join(requirements).encode()).hexdigest()[:16]
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--python", sys.executable, folder)
        _uv("pip", "install", "--python", folder, *requirements)
        ready.touch()
    return folder / "bin/python"


def _uv(*arguments: str | Path) -> None:
    """Run uv, or skip the test with what it says: without a network it can't install."""
    done = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"can't be installed here: {done.stderr.strip()[:500]}")
