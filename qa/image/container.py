"""A container: what becomes of it, what it says, and what its Python sees from inside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qa.image.docker import Docker
from qa.image.verdict import Failed


@dataclass(frozen=True, slots=True)
class Container:
    """The container called *name*."""

    docker: Docker
    name: str

    def url(self, port: int) -> str:
        """Return where this machine reaches the *port* of the container."""
        ports = self.docker.inspect("container", self.name)["NetworkSettings"]["Ports"]
        if not (bindings := ports.get(f"{port}/tcp")):
            raise Failed(f"{self.name} has ended, or its port {port} is not published")
        return f"http://127.0.0.1:{bindings[0]['HostPort']}"

    def health(self) -> str:
        """Return its health: `starting`, `healthy` or `unhealthy`; raise `Failed` if it ended."""
        state = self.docker.inspect("container", self.name)["State"]
        if not state["Running"]:
            raise Failed(f"it ended with exit code {state['ExitCode']}")
        return str(state.get("Health", {}).get("Status", "unknown"))

    def stop(self, grace: int) -> int:
        """Send it SIGTERM, kill it after *grace* seconds, and return its exit code."""
        self.docker.call("stop", "-t", str(grace), self.name)
        return int(self.docker.inspect("container", self.name)["State"]["ExitCode"])

    def lines(self) -> list[str]:
        """Return what it has printed so far."""
        return self.docker.end_of("logs", self.name).said.splitlines()

    def run_inside(self, script: Path) -> str:
        """Return what *script* prints when the container's Python runs it there."""
        source = script.read_text(encoding="utf-8")
        return self.docker.call("exec", "--interactive", self.name, "python", "-", feed=source)

    def remove(self) -> None:
        """Remove it, running or not or not there at all, with the volumes that nobody named."""
        self.docker.call("rm", "--force", "--volumes", self.name)
