"""The processes under test: the service itself, and the limit that it is compared with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qa.benchmarks import cores
from qa.benchmarks.peers import Peers
from qa.benchmarks.webhooks import ACCOUNT, APP_SECRET
from qa.support.processes import NotReady, free_port, wait_until_ready
from qa.support.service import command, environment

_FOREVER = "86400"  # seconds


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready: its port, its process, and the seconds that the start took."""

    port: int
    pid: int
    started_in: float

    def busy(self) -> float:
        """Return the seconds of a core that the process has used, all its threads together."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((it / "schedstat").read_text().split()[0]) for it in threads) / 1e9

    def share(self, seconds: float) -> float:
        """Watch the process for *seconds* and return how much of a core it used."""
        before = self.busy()
        time.sleep(seconds)
        return (self.busy() - before) / seconds

    def resident(self) -> int:
        """Return the bytes of memory that the process has in use."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def open_limit() -> Iterator[Server]:
    """Run the limit while the block does."""
    port = free_port()
    line = [sys.executable, "-m", "qa.benchmarks.limit", str(port)]
    with _open(line, port, os.environ, cores.SUBJECT, Path(os.devnull)) as server:
        yield server


@contextmanager
def open_bare_server(peers: Peers) -> Iterator[Server]:
    """Run the webhook that stores nothing while the block does."""
    port = free_port()
    line = [sys.executable, "-m", "qa.benchmarks.bare_server", str(port)]
    line += [peers.graph_url, peers.agent_url]
    with _open(line, port, os.environ, cores.SUBJECT, Path(os.devnull)) as server:
        yield server


@contextmanager
def open_service(
    folder: Path,
    peers: Peers,
    settings: Mapping[str, str] | None = None,
    on: frozenset[int] = cores.SUBJECT,
    source: Path | None = None,
) -> Iterator[Server]:
    """
    Run `serve` with its store and its log in *folder* while the block does; then kill it.

    It is the service in the folder *source*, by default the installed one.

    Not stopped but killed: what it has acknowledged has to be in the file all the same.
    """
    port = free_port()
    settings = _settings(folder, peers, port) | dict(settings or {})
    variables = environment(settings)
    if source is not None:
        variables["PYTHONPATH"] = str(source)
    # In a folder of its own: without AK_CONFIG a `config.yaml` that is here would count.
    with _open(command("serve"), port, variables, on, folder / "log", folder) as server:
        yield server


def no_turns() -> dict[str, str]:
    """Return the settings with which messages are stored and no turn begins."""
    return {"conversation.debounce": _FOREVER}


def _settings(folder: Path, peers: Peers, port: int) -> dict[str, str]:
    return {
        "instagram.verify_token": "verify",
        "instagram.access_token": "token",
        "instagram.app_secret": APP_SECRET,
        "instagram.account_id": ACCOUNT,
        "instagram.graph_url": peers.graph_url,
        "agent.adapter": "http",
        "agent.url": peers.agent_url,
        "sender.rate": "1000000",  # there is one account, and Meta's limit is not the service's
        "store.url": f"sqlite:///{folder / 'store.db'}",
        "server.host": "127.0.0.1",
        "server.port": str(port),
    }


@contextmanager
def _open(
    line: list[str],
    port: int,
    variables: Mapping[str, str],
    on: frozenset[int],
    log: Path,
    folder: Path | None = None,
) -> Iterator[Server]:
    with log.open("ab") as output, cores.pinned(on):
        began = time.perf_counter()
        process = subprocess.Popen(
            line, env=variables, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_ready(process, port, log)
        yield Server(port, process.pid, time.perf_counter() - began)
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    try:
        wait_until_ready(port, lambda: process.poll() is None)
    except NotReady as exc:
        raise RuntimeError(f"{process.args!r} did not start; see {log}") from exc
