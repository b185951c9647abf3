"""How soon an answer arrives after its sends have failed so many times in a row."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from instagram_simulator import Fault, FaultKind, ProfessionalAccount, Simulator
from qa.benchmarks.bench import Bench, say
from qa.benchmarks.report import Figure, Target, at_most
from qa.support.agent import scripted_agent
from qa.support.service import Service

_ACCOUNT = ProfessionalAccount(
    access_token="IGAArecovery0token1of2the3account", app_secret="secret"
)
_PATIENCE = 120.0  # seconds after which it has failed


@dataclass(frozen=True, slots=True)
class _Case:
    """A *kind* of failure called *name*; *targets* (s) are those after one, two, … of them."""

    kind: FaultKind
    name: str
    targets: tuple[Target, ...] = ()
    most: int = 3


_CASES = (
    _Case(
        FaultKind.TEMPORARY,
        "transient (code 2)",
        # One and a half times what the backoff alone waits on average.
        (at_most(1.5), at_most(6), at_most(20)),
    ),
    _Case(FaultKind.RATE_LIMITED, "rate limit"),
    _Case(FaultKind.SERVER_ERROR, "unknown outcome (HTML 500)", (at_most(3),)),
    _Case(FaultKind.DROPPED, "unknown outcome (cut line)", (at_most(3),)),
    _Case(FaultKind.TOKEN_EXPIRED, "account stopped (token)", most=1),
    _Case(FaultKind.RESTRICTED, "account stopped (restricted)", most=1),
)


def measure(bench: Bench) -> list[Figure]:
    """Return the seconds from a question until its answer is there, by kind and number."""
    most, rounds = bench.effort.failures, bench.effort.glances
    say(f"recovery: up to {most} failures of {len(_CASES)} kinds, side by side")
    folders = [bench.new_folder() for _ in _CASES]
    return [figure for each in asyncio.run(_all(folders, most, rounds)) for figure in each]


async def _all(folders: list[Path], most: int, rounds: int) -> list[list[Figure]]:
    cases = zip(_CASES, folders, strict=True)
    return await asyncio.gather(*(_measure(case, it, most, rounds) for case, it in cases))


async def _measure(case: _Case, folder: Path, most: int, rounds: int) -> list[Figure]:
    """Return the figures of one *case*, with a service of its own in *folder*."""
    async with Simulator(_ACCOUNT) as meta, scripted_agent() as agent:
        service = Service(folder, _settings(meta.url, agent.url), log=folder / "log")
        await service.launch()
        await service.ready()
        try:
            await meta.subscribe(service.webhook, "verify")
            await _recover(meta)  # what a first turn costs is no part of it
            return [
                Figure(
                    f"{case.name}, {times} in a row: answer after",
                    [await _recover(meta, Fault(case.kind, times=times)) for _ in range(rounds)],
                    "s",
                    case.targets[times - 1] if times <= len(case.targets) else None,
                )
                for times in range(1, min(most, case.most) + 1)
            ]
        finally:
            await service.kill()


async def _recover(meta: Simulator, fault: Fault | None = None) -> float:
    """Return after how many seconds someone is answered whose answer meets *fault*."""
    person = meta.add_person("Mia").igsid
    if fault is not None:
        meta.fail(fault)
    began = time.perf_counter()
    meta.phones.say(person, "Are you there?")
    await meta.journal.until(lambda: bool(meta.applied(person)), within=_PATIENCE)
    return time.perf_counter() - began


def _settings(graph_url: str, agent_url: str) -> dict[str, str]:
    return {
        "instagram.verify_token": "verify",
        "instagram.access_token": _ACCOUNT.access_token,
        "instagram.app_secret": _ACCOUNT.app_secret,
        "instagram.account_id": _ACCOUNT.account_id,
        "instagram.graph_url": graph_url,
        "agent.adapter": "http",
        "agent.url": agent_url,
    }
