"""How long the service takes from the start of its process until it is ready."""

from __future__ import annotations

from qa.benchmarks.bench import Bench, say
from qa.benchmarks.journal import Behaviour
from qa.benchmarks.report import Figure, at_most


def measure(bench: Bench) -> list[Figure]:
    """Return the seconds with a new store, which is made first, and with one that is there."""
    bench.peers.become(Behaviour())
    new: list[float] = []
    old: list[float] = []
    for number in range(1, bench.effort.starts + 1):
        say(f"start: {number} of {bench.effort.starts}")
        folder = bench.new_folder()
        for taken in (new, old):
            with bench.open_service(folder=folder) as server:
                taken.append(server.started_in)
    return [
        Figure("start to ready, new store", new, "s", at_most(1.5)),
        Figure("start to ready, known store", old, "s"),
    ]
