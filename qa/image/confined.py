"""What a container's first process is and may do, against what production allows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from qa.image.production import MEMORY, UID, WRITABLE

_COMMAND = ["-m", "ak_instagram", "serve"]  # after Python, and an emulator if there is one
_LOCKED = re.compile(r"^([a-z0-9-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Facts:
    """What `inside.py` prints."""

    uids: list[int]
    gids: list[int]
    capabilities: list[str]
    no_new_privileges: bool
    command: list[str]
    writable: list[str]
    installs: bool
    packages: Mapping[str, str]
    simulates: bool
    opt: list[str]
    uncompiled: list[str]
    memory_limit: int | None
    memory_peak: int | None

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the facts that *text* tells."""
        return cls(**json.loads(text))


def locked(lock: str) -> dict[str, str]:
    """Return the packages that the text of a lock file names, with their versions."""
    return dict(_LOCKED.findall(lock))


def powers(facts: Facts) -> Iterator[str]:
    """Yield what it is or may do and should not."""
    if facts.uids != [UID] or facts.gids != [UID]:
        yield f"it runs with the UIDs {facts.uids} and the groups {facts.gids}, not {UID}"
    if facts.capabilities:
        yield f"it has capabilities: {', '.join(facts.capabilities)}"
    if not facts.no_new_privileges:
        yield "it may gain privileges"
    if facts.command[-len(_COMMAND) :] != _COMMAND:
        yield f"its first process is {' '.join(facts.command)!r}, not the service's"


def writing(facts: Facts) -> Iterator[str]:
    """Yield where it can write and should not, and where it can't and has to."""
    for folder in sorted(set(facts.writable) - set(WRITABLE)):
        yield f"it can write to {folder}"
    for folder in sorted(set(WRITABLE) - set(facts.writable)):
        yield f"it can't write to {folder}"


def contents(facts: Facts, lock: Mapping[str, str]) -> Iterator[str]:
    """Yield what is in the image and should not be, or lacks: *lock* says what belongs there."""
    if facts.installs:
        yield "pip is there"
    if facts.simulates:
        yield "the simulator is there"
    if facts.opt != ["venv"]:
        yield f"/opt has {', '.join(facts.opt)}, not venv alone"
    if "ak-instagram" not in facts.packages:
        yield "the package is not installed"
    for name, version in sorted(facts.packages.items()):
        if name != "ak-instagram" and lock.get(name) != version:
            yield f"{name} {version} is not what the lock names"
    if facts.uncompiled:
        yield f"{len(facts.uncompiled)} sources have no bytecode: {facts.uncompiled[0]} …"


def memory(facts: Facts) -> Iterator[str]:
    """Yield why it is not held to the memory that it is given."""
    if facts.memory_limit != MEMORY:
        yield f"its limit is {facts.memory_limit}, not {MEMORY} bytes: does the engine set limits?"
