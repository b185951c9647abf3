"""What thousands of turns cost that wait for a slow agent, and whether they delay what comes in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from qa.benchmarks import files
from qa.benchmarks.bench import Bench, Effort, say
from qa.benchmarks.journal import Behaviour
from qa.benchmarks.posting import Load, Run
from qa.benchmarks.report import Figure, at_least, at_most
from qa.benchmarks.runs import STORING, check_stored, checked, load_of, run_service
from qa.benchmarks.samples import median, percentile, ratios
from qa.benchmarks.servers import Server
from qa.benchmarks.stores import Kind, using
from qa.benchmarks.webhooks import Messages

FOREVER = 3600.0  # seconds that the agent takes
PATIENCE = 120.0  # seconds in which all agents are asked
WITHIN = 25.0  # milliseconds
FILES_EACH = 1.5  # a connection to the agent, and for a moment one to the Graph API
SPARE_FILES = 1000
MIB, KIB = 2**20, 2**10

# Posts webhooks at a rate, or in a closed loop.
Post: TypeAlias = Callable[[float | None], Run]


@dataclass(slots=True)
class Acks:
    """Acknowledgements a second in a closed loop, and the 99th percentile at a fixed rate in ms."""

    rates: list[float] = field(default_factory=list)
    tails: list[float] = field(default_factory=list)

    def take(self, post: Post, rate: float | None = None) -> None:
        """Add what comes of *post*; at half of what it accepts if there is no *rate*."""
        closed = post(None).rate
        latencies = post(rate or closed / 2).latencies
        self.rates.append(closed)
        self.tails.append(percentile(latencies, 99) * 1000)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a crowd costs: bytes of memory, a share of a core, seconds until all were asked."""

    memory: int
    of_one: float
    share: float
    asked: float


def check(effort: Effort) -> None:
    """Raise `RuntimeError` if so many connections are not allowed."""
    files.require(int(effort.crowd * FILES_EACH) + SPARE_FILES)


def measure(bench: Bench) -> list[Figure]:
    """Return what a crowd costs, and acknowledgements meanwhile, of those without it."""
    alone, beside = Acks(), Acks()
    rounds = bench.effort.glances
    before = rounds - rounds // 2
    say(f"acknowledged without a crowd: {before} of {rounds} rounds")
    for _ in range(before):
        alone.take(lambda rate: run_service(bench, STORING, rate))
    with _open_crowd(bench) as (cost, post):
        say("acknowledged beside it")
        for _ in range(rounds):
            beside.take(post, median(alone.rates) / 2)
    say("acknowledged without a crowd: the other rounds")
    for _ in range(rounds - before):
        alone.take(lambda rate: run_service(bench, STORING, rate))
    return _figures(bench.effort.crowd, cost, alone, beside)


@contextmanager
def _open_crowd(bench: Bench) -> Iterator[tuple[Cost, Post]]:
    """Yield what a crowd costs, and what posts webhooks beside it; none of them may get lost."""
    crowd = bench.effort.crowd
    say(f"{crowd:,} conversations with an agent that does not answer")
    bench.peers.become(Behaviour(agent_takes=FOREVER))
    store = bench.new_store(Kind.SQLITE)
    settings = {
        **using(store),
        "conversation.concurrency": str(crowd),
        "agent.timeout": str(FOREVER),
    }
    newcomers = _Newcomers(bench, first=crowd)
    with bench.open_service(settings) as server:
        cost = _gather(bench, server)
        yield cost, lambda rate: newcomers.post(server.port, rate)
    check_stored(newcomers.accepted, store)


def _gather(bench: Bench, server: Server) -> Cost:
    """Let all of the crowd write, and return what it costs once all agents were asked."""
    crowd = bench.effort.crowd
    time.sleep(1)
    idle = server.resident()
    run = checked(bench.loader.post(Load(server.port, Messages(crowd, crowd), seconds=PATIENCE)))
    asked = bench.peers.wait_for("agent", crowd, PATIENCE)
    memory = server.resident()
    return Cost(
        memory=memory,
        of_one=(memory - idle) / crowd,
        share=server.share(bench.effort.idle),
        asked=max(asked.values()) - max(run.posted.values()),
    )


class _Newcomers:
    """People beside the crowd; what they wrote and was *accepted* has to be in the store."""

    def __init__(self, bench: Bench, first: int) -> None:
        self._bench = bench
        self._first = first
        self.accepted: set[str] = set()

    def post(self, port: int, rate: float | None) -> Run:
        """Return what comes of one run."""
        load = load_of(self._bench.effort, port, rate, self._first)
        self._first += load.messages.count
        run = checked(self._bench.loader.post(load))
        self.accepted.update(load.messages.mid(index) for index in run.accepted)
        return run


def _figures(crowd: int, cost: Cost, alone: Acks, beside: Acks) -> list[Figure]:
    return [
        Figure(f"last of {crowd:,} agents asked after the last webhook", [cost.asked], "s"),
        Figure(f"memory while {crowd:,} turns wait", [cost.memory / MIB], "MiB"),
        Figure("of one of these turns", [cost.of_one / KIB], "KiB"),
        Figure("share of a core while they wait", [cost.share * 100], "%"),
        Figure("webhooks a second meanwhile", beside.rates, "/s"),
        Figure("of those without them", ratios(beside.rates, alone.rates), "", at_least(0.9)),
        Figure("acknowledged at half the rate without them, p99", alone.tails, "ms"),
        Figure("acknowledged at that rate meanwhile, p99", beside.tails, "ms", at_most(WITHIN)),
    ]
