"""How soon a person sees something when nothing else is going on, against a bare script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qa.benchmarks.bare import Script
from qa.benchmarks.bench import Bench, say
from qa.benchmarks.journal import Behaviour, What
from qa.benchmarks.peers import Peers
from qa.benchmarks.posting import Load
from qa.benchmarks.report import Figure, at_most
from qa.benchmarks.samples import median, ratios
from qa.benchmarks.servers import Server
from qa.benchmarks.webhooks import Messages, contact_of

BLOCK = 25  # messages; service and script take turns by blocks
UNCOUNTED = 5  # at a block's beginning: connections are being opened
PAUSE = 0.03  # seconds between two messages, for both
PATIENCE = 5.0  # seconds after which it has failed


@dataclass(slots=True)
class Times:
    """The median of each block in milliseconds, from the beginning to what arrived."""

    typing: list[float] = field(default_factory=list)
    piece: list[float] = field(default_factory=list)

    def add(self, began: Mapping[str, float], peers: Peers) -> None:
        """Add a block that *began* for each contact at some time, once all of it has arrived."""
        self.typing.append(_median_to("typing_on", began, peers))
        self.piece.append(_median_to("message", began, peers))


def measure(bench: Bench) -> list[Figure]:
    """Return the times of service and script, and their ratios."""
    bench.peers.become(Behaviour())
    ours, bare = Times(), Times()
    with bench.open_service() as server:
        for block in range(bench.effort.blocks):
            say(f"one message at a time: block {block + 1} of {bench.effort.blocks}")
            bare.add(_scripted(bench, block), bench.peers)
            ours.add(_served(bench, server, block), bench.peers)
    return [
        *_figures("typing_on", ours.typing, bare.typing),
        *_figures("first piece", ours.piece, bare.piece),
    ]


def _figures(name: str, ours: list[float], bare: list[float]) -> list[Figure]:
    return [
        Figure(f"calls up to {name}, bare script", bare, "ms"),
        Figure(f"webhook to {name}", ours, "ms"),
        Figure("of the bare script", ratios(ours, bare), "", at_most(3.0), aim=2.0),
    ]


def _served(bench: Bench, server: Server, block: int) -> Mapping[str, float]:
    bench.peers.become(Behaviour())
    messages = Messages(BLOCK, BLOCK, first=block * BLOCK)
    run = bench.loader.post(Load(server.port, messages, connections=1, pause=PAUSE))
    return {messages.contact(index): at for index, at in run.posted.items()}


def _scripted(bench: Bench, block: int) -> Mapping[str, float]:
    bench.peers.become(Behaviour())
    contacts = [contact_of(block * BLOCK + number) for number in range(BLOCK)]
    script = Script(bench.peers.graph_url, bench.peers.agent_url, contacts, PAUSE)
    return dict(zip(contacts, bench.bare.answer(script), strict=True))


def _median_to(what: What, began: Mapping[str, float], peers: Peers) -> float:
    arrived = peers.wait_for(what, len(began), PATIENCE)
    counted = list(began.items())[UNCOUNTED:]
    return median([(arrived[who] - at) * 1000 for who, at in counted])
