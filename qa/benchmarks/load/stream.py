"""
The stream: everybody writes once, at the moment that is theirs, whatever the answers do.

Latency counts from when a message was due to be posted, so that a service that stalls
is charged for all that had to wait meanwhile.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from qa.benchmarks.journal import Arrival
from qa.benchmarks.loader import open_loader
from qa.benchmarks.peers import Peers, open_peers
from qa.benchmarks.posting import Load, Run
from qa.benchmarks.servers import open_service
from qa.benchmarks.webhooks import Messages

ANSWERED_WITHIN = 30.0  # seconds after the last post
AFTERWARDS = 2.0  # seconds in which nothing more may be sent
_CONNECTIONS = 256


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of it; latencies are in seconds.

    *unanswered* and *answered_twice* count messages that were accepted, *refused*
    those that were not.
    """

    messages: int
    refused: int
    unanswered: int
    answered_twice: int
    to_200: list[float]
    to_piece: list[float]

    @property
    def is_right(self) -> bool:
        """Whether each message was accepted, and answered once."""
        return not (self.refused or self.unanswered or self.answered_twice)


def run(rate: float, seconds: float) -> Outcome:
    """Return what came of *rate* messages a second for *seconds*."""
    count = round(rate * seconds)
    messages = Messages(count, conversations=count)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ak-instagram-load-")))
        peers = stack.enter_context(open_peers())
        loader = stack.enter_context(open_loader())
        server = stack.enter_context(open_service(folder, peers))
        posted = loader.post(Load(server.port, messages, _CONNECTIONS, seconds=seconds, rate=rate))
        return _outcome(messages, rate, posted, _pieces(peers, len(posted.accepted)))


def _pieces(peers: Peers, wanted: int) -> list[Arrival]:
    """Return the pieces that arrived, once there were *wanted* and none came after them."""
    until = time.monotonic() + ANSWERED_WITHIN
    while len(_messages(peers)) < wanted and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(AFTERWARDS)
    return _messages(peers)


def _messages(peers: Peers) -> list[Arrival]:
    return [arrival for arrival in peers.arrivals() if arrival.what == "message"]


def _outcome(messages: Messages, rate: float, run: Run, pieces: list[Arrival]) -> Outcome:
    times = Counter(piece.who for piece in pieces)
    first = {piece.who: piece.at for piece in reversed(pieces)}
    accepted = [messages.contact(index) for index in run.accepted]
    return Outcome(
        messages=messages.count,
        refused=messages.count - len(accepted),
        unanswered=sum(times[contact] == 0 for contact in accepted),
        answered_twice=sum(times[contact] > 1 for contact in accepted),
        to_200=run.latencies,
        to_piece=_since_due(messages, rate, run, first),
    )


def _since_due(
    messages: Messages, rate: float, run: Run, first: Mapping[str, float]
) -> list[float]:
    began = run.posted[0]
    arrived = ((index, first.get(messages.contact(index))) for index in run.accepted)
    return [at - began - index / rate for index, at in arrived if at is not None]
