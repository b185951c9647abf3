"""What every figure is measured with."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .bare import Bare, open_bare
from .loader import Loader, open_loader
from .peers import Peers, open_peers


@dataclass(frozen=True, slots=True)
class Effort:
    """
    How thoroughly to measure: *rounds* of runs of *seconds* each, after a *warm_up*.

    *blocks* of messages are answered one at a time; the service is started *starts* times.
    *conversations* wait at once for an agent that is *thinking* so many seconds.
    """

    rounds: int = 5
    seconds: float = 1.5
    warm_up: float = 1.0
    blocks: int = 12
    starts: int = 7
    conversations: int = 1000
    thinking: float = 10.0


QUICK = Effort(
    rounds=1, seconds=0.5, warm_up=0.2, blocks=1, starts=1, conversations=50, thinking=1.0
)


@dataclass(frozen=True, slots=True)
class Bench:
    """The tools, one process each, and a folder for stores and logs."""

    effort: Effort
    peers: Peers
    loader: Loader
    bare: Bare
    folder: Path

    def new_folder(self) -> Path:
        """Return an empty folder for one run of the service."""
        return Path(tempfile.mkdtemp(dir=self.folder))


@contextmanager
def open_bench(effort: Effort) -> Iterator[Bench]:
    """Start the tools; end them and remove what was written when the block ends."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ak-instagram-bench-"))
        peers = stack.enter_context(open_peers())
        loader = stack.enter_context(open_loader())
        bare = stack.enter_context(open_bare())
        yield Bench(effort, peers, loader, bare, Path(folder))


def say(progress: str) -> None:
    """Tell whoever waits how far it is."""
    print(progress, file=sys.stderr, flush=True)
