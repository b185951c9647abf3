"""How soon a finished paragraph goes out while its agent writes on, and what open streams cost."""

from __future__ import annotations

import json

from qa.benchmarks.bench import Bench, say
from qa.benchmarks.journal import Behaviour
from qa.benchmarks.posting import Load
from qa.benchmarks.report import Figure, at_most
from qa.benchmarks.runs import checked
from qa.benchmarks.samples import median, percentile
from qa.benchmarks.webhooks import Messages

FOREVER = 3600.0  # seconds that an agent takes that says nothing
WARM_UP = 200  # turns before those whose memory counts
RATE = 40.0  # messages a second: one at a time
WITHIN = 5.0  # milliseconds
PATIENCE = 60.0  # seconds in which all agents are asked, and all first paragraphs sent
MEMORY = 20.0  # KiB of a stream, beside what a turn costs that waits for its first word
_SETTINGS = {
    "agent.reply_format": "events",
    "agent.request": json.dumps({"session": "{contact}", "text": "{text}"}),
    "agent.timeout": "3600",
}


def measure(bench: Bench) -> list[Figure]:
    """Return the times from a paragraph to its send, and the memory of a stream that stays open."""
    streams = bench.effort.conversations
    say(f"{streams:,} agents that say nothing, and as many that write on behind a paragraph")
    waiting = _memory(bench, Behaviour(agent_takes=FOREVER), "agent")
    open_ = _memory(bench, Behaviour(streams=True), "message")
    sent = bench.peers.wait_for("message", streams, PATIENCE)
    written = bench.peers.wait_for("paragraph", streams, PATIENCE)
    waits = [(sent[who] - written[who]) * 1000 for who in sent]
    return [
        Figure("agent's first paragraph to its send", [median(waits)], "ms", at_most(WITHIN)),
        Figure("the same, p99", [percentile(waits, 99)], "ms"),
        Figure(f"memory of one of {streams:,} open streams", [open_], "KiB"),
        Figure("of that beside a turn that waits", [open_ - waiting], "KiB", at_most(MEMORY)),
    ]


def _memory(bench: Bench, behaviour: Behaviour, until: str) -> float:
    """Return the KiB of a turn whose agent shows *behaviour*, *until* that has come of each."""
    streams = bench.effort.conversations
    concurrency = str(streams + WARM_UP)
    bench.peers.become(behaviour)
    with bench.open_service({**_SETTINGS, "conversation.concurrency": concurrency}) as server:
        _write(bench, server.port, until, WARM_UP)
        before = server.resident()
        _write(bench, server.port, until, streams, first=WARM_UP)
        return (server.resident() - before) / streams / 1024


def _write(bench: Bench, port: int, until: str, people: int, first: int = 0) -> None:
    """Have so many *people* write, from the *first* on, and wait *until* that has come of each."""
    load = Load(port, Messages(people, people, first), rate=RATE, seconds=people / RATE + 1)
    checked(bench.loader.post(load))
    bench.peers.wait_for(until, first + people, PATIENCE)
