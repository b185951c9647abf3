"""How many files, and so connections, a process may have open."""

from __future__ import annotations

import resource


def allow_most() -> None:
    """Let this process, and what it starts, open as many files as it may allow itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def require(wanted: int) -> None:
    """Raise `RuntimeError` if a process may not open *wanted* files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < wanted:
        raise RuntimeError(f"{wanted:,} open files are needed, not {allowed:,}: ulimit -n {wanted}")
