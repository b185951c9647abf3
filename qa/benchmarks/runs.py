"""One run of the service, or of the limit, under a load of webhooks; nothing may get lost."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from qa.benchmarks import cores
from qa.benchmarks.bench import Bench, Effort
from qa.benchmarks.journal import Behaviour
from qa.benchmarks.posting import Load, Run
from qa.benchmarks.servers import no_turns, open_limit
from qa.benchmarks.stores import Kind, stored_mids, using
from qa.benchmarks.webhooks import Messages

CONVERSATIONS = 2000
MAX_A_SECOND = 15_000  # more than anything here can take: what is posted is made beforehand


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The service in one situation: its *settings*, its peers, the cores it has, its store."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    peers: Behaviour = field(default_factory=Behaviour)
    on: frozenset[int] = cores.SUBJECT
    store: Kind = Kind.SQLITE


STORING = Subject("no turn begins", no_turns())


def run_limit(bench: Bench) -> Run:
    """Return what the limit accepts."""
    with open_limit() as server:
        return checked(bench.loader.post(load_of(bench.effort, server.port)))


def run_service(bench: Bench, subject: Subject, rate: float | None = None) -> Run:
    """
    Return what *subject*, with a new store, accepts; at *rate* a second if there is one.

    Raises `RuntimeError` if anything that was accepted is not in the store.
    """
    return run_on(bench.new_store(subject.store), bench, subject, rate)


def run_on(
    store: str, bench: Bench, subject: Subject, rate: float | None = None, apart: int = 1
) -> Run:
    """Do what `run_service` does on *store*, with people so many numbers *apart*."""
    bench.peers.become(subject.peers)
    settings = {**subject.settings, **using(store)}
    with bench.open_service(settings, subject.on) as server:
        load = load_of(bench.effort, server.port, rate, apart=apart)
        run = bench.loader.post(load)
    check_stored({load.messages.mid(index) for index in run.accepted}, store)
    return checked(run)


def check_stored(accepted: Set[str], store: str) -> None:
    """Raise `RuntimeError` unless the messages that were *accepted* are in the store."""
    if lost := accepted - stored_mids(store):
        raise RuntimeError(f"{len(lost)} webhooks were acknowledged and are not in the store")


def checked(run: Run) -> Run:
    """Return *run*, or raise `RuntimeError` if anything in it failed."""
    if run.failed:
        raise RuntimeError(f"{run.failed} webhooks were not answered 200")
    return run


def load_of(
    effort: Effort, port: int, rate: float | None = None, first: int = 0, apart: int = 1
) -> Load:
    """Return the load of one run; see `Messages` for *first* and *apart*."""
    count = int((effort.warm_up + effort.seconds) * MAX_A_SECOND)
    messages = Messages(count, CONVERSATIONS, first, apart)
    return Load(port, messages, warm_up=effort.warm_up, seconds=effort.seconds, rate=rate)
