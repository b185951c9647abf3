"""Whether a slow agent keeps others waiting, and what a turn costs that waits."""

from __future__ import annotations

import time

from qa.benchmarks.bench import Bench, say
from qa.benchmarks.journal import Behaviour
from qa.benchmarks.posting import Load
from qa.benchmarks.report import Figure, at_most
from qa.benchmarks.webhooks import Messages

PATIENCE = 20.0  # seconds after which it has failed
MIB, KIB = 2**20, 2**10


def measure(bench: Bench) -> list[Figure]:
    """Return how soon everybody's agent is asked, and the memory that this takes."""
    many, thinking = bench.effort.conversations, bench.effort.thinking
    say(f"{many} conversations with an agent that takes {thinking:g} s")
    bench.peers.become(Behaviour(agent_takes=thinking))
    settings = {"conversation.concurrency": str(many)}
    with bench.open_service(settings) as server:
        time.sleep(1)
        idle = server.resident()
        run = bench.loader.post(Load(server.port, Messages(many, many)))
        asked = max(bench.peers.wait_for("agent", many, PATIENCE).values())
        waiting = server.resident()
        answered = max(bench.peers.wait_for("message", many, thinking + PATIENCE).values())
    last = max(run.posted.values())
    return [
        Figure(
            f"last of {many:,} agents asked after the last webhook", [asked - last], "s", at_most(2)
        ),
        Figure(f"last of {many:,} first pieces after the last webhook", [answered - last], "s"),
        Figure("memory when idle", [idle / MIB], "MiB"),
        Figure("memory of a turn that waits", [(waiting - idle) / many / KIB], "KiB"),
    ]
