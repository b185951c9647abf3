"""
Runs inside a container, fed to its Python: prints what its first process is and may do.

It stands alone, on the standard library: the image knows nothing of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import distributions
from importlib.util import cache_from_source, find_spec
from pathlib import Path

_UNUSED = {"test", "tests", "idlelib", "turtledemo"}  # is not compiled: nobody imports it
_NOT_FILES = ("/proc", "/sys", "/dev")
_CGROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory"))  # version 2, version 1
_LIMITS = ("memory.max", "memory.limit_in_bytes")
_PEAKS = ("memory.peak", "memory.max_usage_in_bytes")


def facts() -> dict[str, object]:
    """Return all that is asked of a container."""
    status = dict(_status())
    return {
        # First, for what follows needs some too.
        "memory_limit": _first(_LIMITS),
        "memory_peak": _first(_PEAKS),
        "uids": sorted({int(each) for each in status["Uid"].split()}),
        "gids": sorted({int(each) for each in f"{status['Gid']} {status['Groups']}".split()}),
        "capabilities": sorted(
            name for name, value in status.items() if name.startswith("Cap") and int(value, 16)
        ),
        "no_new_privileges": status["NoNewPrivs"] == "1",
        "command": Path("/proc/1/cmdline").read_text().rstrip("\0").split("\0"),
        "writable": sorted(_writable()),
        "installs": _installs(),
        "packages": dict(_packages()),
        "simulates": find_spec("instagram_simulator") is not None,
        "opt": sorted(each.name for each in Path("/opt").iterdir()),
        "uncompiled": sorted(_uncompiled()),
    }


def _status() -> Iterator[tuple[str, str]]:
    for line in Path("/proc/1/status").read_text().splitlines():
        name, _, value = line.partition(":")
        yield name, value.strip()


def _writable() -> Iterator[str]:
    """Yield the folders that can be written to, the highest of each tree."""
    for folder, within, _ in os.walk("/"):
        if folder == "/":
            within[:] = [name for name in within if f"/{name}" not in _NOT_FILES]
        if os.access(folder, os.W_OK):
            within.clear()
            yield folder


def _installs() -> bool:
    """Whether pip can be run, by the service's Python or by the one it was made of."""
    pythons = {sys.executable, os.path.realpath(sys.executable)}
    runs = (subprocess.run([each, "-m", "pip"], capture_output=True) for each in pythons)
    return any(run.returncode == 0 for run in runs)


def _packages() -> Iterator[tuple[str, str]]:
    for package in distributions():
        yield re.sub(r"[-_.]+", "-", package.name).lower(), package.version


def _uncompiled() -> Iterator[str]:
    """Yield the sources that whoever imports them has to compile, each time."""
    for name in ("stdlib", "purelib"):
        for source in Path(sysconfig.get_path(name)).rglob("*.py"):
            if _UNUSED.isdisjoint(source.parts) and not Path(cache_from_source(source)).exists():
                yield str(source)


def _first(names: tuple[str, ...]) -> int | None:
    """Return the number in the first of the cgroup's files that is there."""
    for file in (folder / name for folder in _CGROUPS for name in names):
        if file.exists() and (text := file.read_text().strip()).isdigit():
            return int(text)
    return None


if __name__ == "__main__":
    print(json.dumps(facts()))
