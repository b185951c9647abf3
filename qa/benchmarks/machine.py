"""What it was measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path

from qa.benchmarks import cores


def describe() -> str:
    """Return the machine and its versions in one line, with the load that others put on it."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{len(cores.ALL)} cores of {_cpu()}, Linux {_kernel()}, Python"
        f" {platform.python_version()}, SQLite {sqlite3.sqlite_version}; load before: {load}"
    )


def _kernel() -> str:
    """Return the kernel's version, without what whoever built it added."""
    return platform.release().partition("-")[0]


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
