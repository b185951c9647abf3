"""Agent servers from npm, each in a folder of its own with the Node that it asks for."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = "node@24"
ALL = "AGENTS"  # `make agents` sets it


def npm_installed(cache: Path, package: str, *built: str) -> Path:
    """
    Return a folder in *cache* whose `node_modules` has *package* and a Node.

    Scripts of packages are run for those that have to be *built* alone. Skips the test where
    it can't be made, or if nobody asked for what takes minutes.
    """
    folder = cache / hashlib.sha256(f"{package} {built}".encode()).hexdigest()[:16]
    ready = folder / "ready"
    if ready.exists():
        return folder
    if ALL not in os.environ:
        pytest.skip(f"{package} takes minutes to install: `make agents` does")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _npm(folder, "install", NODE)
    _npm(folder, "install", "--ignore-scripts", package)
    _npm(folder, "rebuild", *built)
    ready.touch()
    return folder


def environ(folder: Path, **variables: str) -> dict[str, str]:
    """Return the variables with which programs in *folder* run."""
    path = f"{folder / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(folder), **variables}


def _npm(folder: Path, command: str, *arguments: str) -> None:
    """Run npm, or skip the test with what it says: without a network it can't install."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on PATH")
    variables = environ(folder, HOME=os.environ.get("HOME", str(folder)))
    done = subprocess.run(
        [npm, command, "--no-audit", "--no-fund", "--loglevel=error", *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"{' '.join(arguments)} can't be installed here: {done.stderr[-500:]}")
