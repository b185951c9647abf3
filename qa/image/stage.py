"""The service and a simulated Instagram: two containers on a network of their own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from qa.image.container import Container
from qa.image.docker import Docker, Ended
from qa.image.meta import Meta
from qa.image.production import FLAGS

PORT, META_PORT = 8000, 8001
# The simulator's own: they open nothing but a simulator.
ACCESS_TOKEN = "IGAAsimulator"
APP_SECRET = "simulator-app-secret"


@dataclass
class Stage:
    """The stage that the checks play on; *prefix* begins the name of all that is made."""

    docker: Docker
    image: str
    simulator: str
    prefix: str
    verify_token: str
    earlier_lines: list[str] = field(default_factory=list)

    @property
    def service(self) -> Container:
        """The service's container."""
        return Container(self.docker, f"{self.prefix}-service")

    @property
    def meta(self) -> Meta:
        """The simulator."""
        return Meta(Container(self.docker, f"{self.prefix}-meta").url(META_PORT))

    def start_service(self) -> None:
        """Start the service on the volume."""
        settings = {
            "AK_INSTAGRAM__VERIFY_TOKEN": self.verify_token,
            "AK_INSTAGRAM__ACCESS_TOKEN": ACCESS_TOKEN,
            "AK_INSTAGRAM__APP_SECRET": APP_SECRET,
            "AK_INSTAGRAM__GRAPH_URL": f"http://meta:{META_PORT}",
            "AK_AGENT__ADAPTER": "echo",
        }
        # The image asks every 10 s; what is asked stays the same.
        flags = ("--health-interval", "1s", "--volume", f"{self.prefix}:/data")
        self._start("service", PORT, (*flags, *_environment(settings), self.image))

    def replace_service(self) -> None:
        """Put a new container in the stopped one's place, on the same volume."""
        self.earlier_lines += self.service.lines()
        self.service.remove()
        self.start_service()

    def start_meta(self) -> None:
        """Start the simulator; it subscribes the service's webhook as soon as that answers."""
        webhook = f"http://service:{PORT}/instagram/webhook"
        token = {"VERIFY_TOKEN": self.verify_token}
        command = (self.simulator, f"--webhook={webhook}")
        self._start("meta", META_PORT, (*_environment(token), *command))

    def run_without_settings(self) -> Ended:
        """Return how a service ends that was told nothing."""
        return self.docker.end_of("run", "--name", f"{self.prefix}-bare", *FLAGS, self.image)

    def _start(self, role: str, port: int, rest: tuple[str, ...]) -> None:
        network = ("--network", self.prefix, "--network-alias", role)
        name = ("--name", f"{self.prefix}-{role}", "--publish", f"127.0.0.1::{port}")
        self.docker.call("run", "--detach", *name, *network, *FLAGS, *rest)


@contextmanager
def open_stage(docker: Docker, image: str, simulator: str) -> Iterator[Stage]:
    """Yield a stage on which both run, and leave nothing of it behind."""
    prefix = f"image-{secrets.token_hex(4)}"
    stage = Stage(docker, image, simulator, prefix, verify_token=secrets.token_urlsafe())
    with ExitStack() as undo:
        docker.call("network", "create", prefix)
        undo.callback(docker.call, "network", "rm", prefix)
        docker.call("volume", "create", prefix)
        undo.callback(docker.call, "volume", "rm", prefix)
        for role in ("service", "meta", "bare"):
            undo.callback(Container(docker, f"{prefix}-{role}").remove)
        stage.start_service()
        stage.start_meta()
        yield stage


def _environment(settings: Mapping[str, str]) -> Iterator[str]:
    for name, value in settings.items():
        yield from ("--env", f"{name}={value}")
