"""One run of the service, or of the limit, under a load of webhooks; nothing may get lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from . import cores
from .bench import Bench, Effort
from .load import Load, Run
from .peers import Behaviour
from .servers import no_turns, open_limit, open_service, store_in
from .webhooks import Messages

CONVERSATIONS = 2000
MOST_A_SECOND = 15_000  # more than anything here can take: what is posted is made beforehand


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The service in one situation: its *settings*, its peers, and the cores that it has."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    peers: Behaviour = field(default_factory=Behaviour)
    on: frozenset[int] = cores.SUBJECT


STORING = Subject("no turn begins", no_turns())


def run_limit(bench: Bench) -> Run:
    """Return what the limit accepts."""
    with open_limit() as server:
        return _checked(bench.loader.post(_load(bench.effort, server.port)))


def run_service(bench: Bench, subject: Subject, rate: float | None = None) -> Run:
    """
    Return what *subject*, with a new store, accepts; at *rate* a second if there is one.

    Raises `RuntimeError` if anything that was accepted is not in the store.
    """
    bench.peers.become(subject.peers)
    folder = bench.new_folder()
    with open_service(folder, bench.peers, subject.settings, subject.on) as server:
        load = _load(bench.effort, server.port, rate)
        run = bench.loader.post(load)
    accepted = {load.messages.mid(index) for index in run.accepted}
    if lost := accepted - stored_mids(store_in(folder)):
        raise RuntimeError(f"{len(lost)} webhooks were acknowledged and are not in the store")
    return _checked(run)


def stored_mids(store: Path) -> set[str]:
    """Return the messages that are in the file *store*."""
    with closing(sqlite3.connect(store)) as connection:
        return {mid for (mid,) in connection.execute("SELECT mid FROM events")}


def _load(effort: Effort, port: int, rate: float | None = None) -> Load:
    count = int((effort.warm_up + effort.seconds) * MOST_A_SECOND)
    messages = Messages(count, CONVERSATIONS)
    return Load(port, messages, warm_up=effort.warm_up, seconds=effort.seconds, rate=rate)


def _checked(run: Run) -> Run:
    if run.failed:
        raise RuntimeError(f"{run.failed} webhooks were not answered 200")
    return run
