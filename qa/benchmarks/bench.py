"""What every figure is measured with."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from qa.benchmarks import cores, files
from qa.benchmarks.bare import Bare, open_bare
from qa.benchmarks.databases import Databases, open_databases
from qa.benchmarks.loader import Loader, open_loader
from qa.benchmarks.peers import Peers, open_peers
from qa.benchmarks.servers import Server, open_service
from qa.benchmarks.stores import Kind, copied_file, is_file


@dataclass(frozen=True, slots=True)
class Effort:
    """
    How thoroughly to measure: *rounds* of runs of *seconds* each, after a *warm_up*.

    *blocks* of messages are answered one at a time; the service is started *starts* times.
    *conversations* wait at once for an agent that is *thinking* so many seconds. Stores have
    *depths* events, and *batches* of events are stored in one sample. What has no target is
    measured in *glances* rounds. A process is watched for *idle* seconds, in which typing
    indicators are renewed once. A *crowd* of conversations waits for an agent that does not
    answer. A send fails up to so many *failures* in a row.
    """

    rounds: int = 5
    seconds: float = 1.5
    warm_up: float = 1.0
    blocks: int = 12
    starts: int = 7
    conversations: int = 1000
    thinking: float = 10.0
    depths: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    batches: int = 16
    glances: int = 3
    idle: float = 12.0
    crowd: int = 10_000
    failures: int = 3


QUICK = Effort(
    rounds=1,
    seconds=0.5,
    warm_up=0.2,
    blocks=1,
    starts=1,
    conversations=50,
    thinking=1.0,
    depths=(1_000, 2_000, 4_000),
    batches=2,
    glances=1,
    idle=1.0,
    crowd=100,
    failures=1,
)


@dataclass(frozen=True, slots=True)
class Bench:
    """
    The tools, one process each, a *folder* for stores and logs, and what is measured.

    That is the service in the folder *source*, by default the installed one.
    """

    effort: Effort
    peers: Peers
    loader: Loader
    bare: Bare
    databases: Databases
    folder: Path
    source: Path | None = None

    def open_service(
        self,
        settings: Mapping[str, str] | None = None,
        on: frozenset[int] = cores.SUBJECT,
        folder: Path | None = None,
    ) -> AbstractContextManager[Server]:
        """Run the service while the block does, in a *folder* of its own unless one is named."""
        return open_service(folder or self.new_folder(), self.peers, settings, on, self.source)

    def new_folder(self) -> Path:
        """Return an empty folder, for a store or the log of one run."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def new_store(self, kind: Kind) -> str:
        """Return the URL of an empty store."""
        if kind is Kind.POSTGRESQL:
            return self.databases.new()
        return f"sqlite:///{self.new_folder() / 'store.db'}"

    def copied(self, store: str) -> AbstractContextManager[str]:
        """Return the block with the URL of a store like *store*, which is forgotten at its end."""
        if is_file(store):
            return copied_file(store, self.new_folder())
        return self.databases.copied(store)

    def tidy(self) -> None:
        """Remove all stores and logs: they would fill the disk, and keep it busy."""
        self.databases.close()
        for folder in self.folder.iterdir():
            shutil.rmtree(folder)


@contextmanager
def open_bench(effort: Effort) -> Iterator[Bench]:
    """Start the tools; end them and remove what was written when the block ends."""
    files.allow_most()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ak-instagram-bench-"))
        peers = stack.enter_context(open_peers())
        loader = stack.enter_context(open_loader())
        bare = stack.enter_context(open_bare())
        databases = stack.enter_context(open_databases())
        yield Bench(effort, peers, loader, bare, databases, Path(folder))


def say(progress: str) -> None:
    """Tell whoever waits how far it is."""
    print(progress, file=sys.stderr, flush=True)
