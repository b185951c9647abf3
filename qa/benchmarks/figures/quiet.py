"""What a replica costs that has nothing to do."""

from __future__ import annotations

import time
from contextlib import ExitStack

from qa.benchmarks.bench import Bench, say
from qa.benchmarks.journal import Behaviour
from qa.benchmarks.report import Figure
from qa.benchmarks.stores import Kind, using

SETTLING = 2.0  # seconds after the start


def measure(bench: Bench) -> list[Figure]:
    """Return the share of a core on both stores, and what PostgreSQL is asked a second."""
    seconds = bench.effort.idle
    say(f"idle replicas: {seconds:g} s")
    bench.peers.become(Behaviour())
    stores = {kind: bench.new_store(kind) for kind in Kind}
    bench.databases.log_statements(stores[Kind.POSTGRESQL])
    with ExitStack() as stack:
        servers = {
            kind: stack.enter_context(bench.open_service(using(url)))
            for kind, url in stores.items()
        }
        time.sleep(SETTLING)
        busy = {kind: -server.busy() for kind, server in servers.items()}
        statements = -bench.databases.statements()
        time.sleep(seconds)
        busy = {kind: busy[kind] + server.busy() for kind, server in servers.items()}
        statements += bench.databases.statements()
    return [
        *(Figure(f"idle on {kind}, of a core", [busy[kind] / seconds * 100], "%") for kind in Kind),
        Figure("idle on PostgreSQL, statements a second", [statements / seconds], "/s"),
    ]
