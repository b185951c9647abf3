"""One run of whole turns, from the webhook to the piece; each has to be answered exactly once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from qa.benchmarks.bench import Bench
from qa.benchmarks.dialogue import Dialogue
from qa.benchmarks.journal import Arrival, Behaviour
from qa.benchmarks.servers import Server
from qa.benchmarks.webhooks import Messages

PEOPLE = 2000
UNANSWERED = 64  # at any time: enough to share commits and to leave no core idle
MAX_A_SECOND = 4000  # more than anything here can take: what is posted is made beforehand
CALLS = ("mark_seen", "typing_on", "message")  # of one turn, to one person
AFTERWARDS = 0.2  # seconds in which nothing more may come


@dataclass(frozen=True, slots=True)
class Talk:
    """What was answered a second, and the CPU time of one turn in milliseconds."""

    rate: float
    cpu: float


def run_turns(bench: Bench, servers: Sequence[Server]) -> Talk:
    """
    Return what *servers*, which share their store, answer.

    Raises `RuntimeError` if a message was not answered with each call exactly once.
    """
    bench.peers.become(Behaviour())
    busy = _busy(servers)
    held = bench.peers.hold(_dialogue(bench, [server.port for server in servers]))
    time.sleep(AFTERWARDS)
    busy = _busy(servers) - busy
    if wrong := list(unlike(held.posted, bench.peers.arrivals())):
        raise RuntimeError(f"not every message was answered once: {', '.join(wrong)}")
    return Talk(held.rate, busy / sum(held.posted.values()) * 1000)


def unlike(posted: Mapping[str, int], arrivals: Iterable[Arrival]) -> Iterable[str]:
    """Yield what came more or less often than people wrote."""
    came = Counter((it.what, it.who) for it in arrivals)
    for what in CALLS:
        if wrong := [who for who in posted if came[what, who] != posted[who]]:
            yield f"{what} for {len(wrong)} people"
    # A service may call people by other names before its agent.
    asked = sum(count for (what, _), count in came.items() if what == "agent")
    if asked != sum(posted.values()):
        yield f"{asked} questions for {sum(posted.values())} messages"


def _dialogue(bench: Bench, ports: Sequence[int]) -> Dialogue:
    effort = bench.effort
    count = UNANSWERED + int((effort.warm_up + effort.seconds) * MAX_A_SECOND)
    messages = Messages(count, PEOPLE)
    return Dialogue(ports, messages, UNANSWERED, effort.warm_up, effort.seconds)


def _busy(servers: Iterable[Server]) -> float:
    return sum(server.busy() for server in servers)
