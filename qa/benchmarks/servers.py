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
    command = [sys.executable, "-m", "qa.benchmarks.limit", str(port)]
    with _open(command, port, dict(os.environ), cores.SUBJECT, Path(os.devnull)) as server:
        yield server


@contextmanager
def open_bare_server(peers: Peers) -> Iterator[Server]:
    """Run the webhook that stores nothing while the block does."""
    port = free_port()
    command = [sys.executable, "-m", "qa.benchmarks.bare_server", str(port)]
    command += [peers.graph_url, peers.agent_url]
    with _open(command, port, dict(os.environ), cores.SUBJECT, Path(os.devnull)) as server:
        yield server


@contextmanager
def open_service(
    folder: Path,
    peers: Peers,
    settings: Mapping[str, str] | None = None,
    on: frozenset[int] = cores.SUBJECT,
) -> Iterator[Server]:
    """
    Run `serve` with its store and its log in *folder* while the block does; then kill it.

    Not stopped but killed: what it has acknowledged has to be in the file all the same.
    """
    port = free_port()
    environment = _environment(folder, peers, port) | dict(settings or {})
    command = [sys.executable, "-m", "ak_instagram", "serve"]
    with _open(command, port, environment, on, folder / "log") as server:
        yield server


def no_turns() -> dict[str, str]:
    """Return the settings with which messages are stored and no turn begins."""
    return {"AK_CONVERSATION__DEBOUNCE": _FOREVER}


def _environment(folder: Path, peers: Peers, port: int) -> dict[str, str]:
    strangers = {k: v for k, v in os.environ.items() if not k.startswith("AK_")}
    return strangers | {
        "AK_CONFIG": "",
        "AK_INSTAGRAM__VERIFY_TOKEN": "verify",
        "AK_INSTAGRAM__ACCESS_TOKEN": "token",
        "AK_INSTAGRAM__APP_SECRET": APP_SECRET,
        "AK_INSTAGRAM__ACCOUNT_ID": ACCOUNT,
        "AK_INSTAGRAM__GRAPH_URL": peers.graph_url,
        "AK_AGENT__ADAPTER": "http",
        "AK_AGENT__URL": peers.agent_url,
        "AK_SENDER__RATE": "1000000",  # there is one account, and Meta's limit is not the service's
        "AK_STORE__URL": f"sqlite:///{folder / 'store.db'}",
        "AK_SERVER__HOST": "127.0.0.1",
        "AK_SERVER__PORT": str(port),
    }


@contextmanager
def _open(
    command: list[str], port: int, environment: dict[str, str], on: frozenset[int], log: Path
) -> Iterator[Server]:
    with log.open("ab") as output, cores.pinned(on):
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT
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
