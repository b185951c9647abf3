"""How a container is run in production: what it must be content with."""

from __future__ import annotations

UID = 10001
MEMORY = 256 << 20  # bytes
WRITABLE = ("/data", "/tmp")  # noqa: S108 - the container's own
GRACE = 40  # seconds from SIGTERM to SIGKILL

# Nothing may need them: what they are is hidden, and to start them is refused.
_HIDDEN = ("bash", "dash", "perl", "apt", "apt-get", "dpkg")

FLAGS = (
    *("--read-only", "--tmpfs", "/tmp"),  # noqa: S108 - the container's own
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--memory", str(MEMORY), "--pids-limit", "128"),
    *(flag for name in _HIDDEN for flag in ("--volume", f"/dev/null:/usr/bin/{name}:ro")),
)
