"""Faults that can be switched on: their kinds, how often they strike, by what chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

# The targets of faults: a webhook on its way, or one of three sorts of Graph calls.
Target = Literal["webhook", "send", "action", "read"]

_On = Literal["send", "action", "read", "any"]


class FaultKind(StrEnum):
    """All faults; the ones that begin with `sent_but` apply the message first."""

    # On the way to the service
    DUPLICATE = "duplicate"  # delivered twice, at once
    HELD = "held"  # kept until released
    REORDERED = "reordered"  # delivered after the next one of the conversation
    DELAYED = "delayed"  # delivered `seconds` later
    LOST = "lost"  # never delivered: Meta forgets it

    # The Graph API says no; nothing was applied
    SERVER_ERROR = "server_error"  # HTTP 500 with a page of HTML
    TEMPORARY = "temporary"  # 2, transient
    RATE_LIMITED = "rate_limited"  # 613
    APP_LIMITED = "app_limited"  # 4
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a fault's name (190/463)
    WINDOW_CLOSED = "window_closed"  # 10/2534022
    PERSON_UNAVAILABLE = "person_unavailable"  # 551/1545041
    RESTRICTED = "restricted"  # 368
    UNSUPPORTED = "unsupported"  # 100, as to an app whose calls Meta refuses

    # The answer lies or never comes
    DROPPED = "dropped"  # the line drops, nothing was applied
    HANG = "hang"  # no answer, nothing was applied
    SLOW = "slow"  # applied, answered after `seconds`
    SENT_BUT_ERROR = "sent_but_error"  # 1/1357046
    SENT_BUT_500 = "sent_but_500"
    SENT_BUT_DROPPED = "sent_but_dropped"
    SENT_BUT_HANG = "sent_but_hang"


ON_THE_WAY = frozenset(
    {
        FaultKind.DUPLICATE,
        FaultKind.HELD,
        FaultKind.REORDERED,
        FaultKind.DELAYED,
        FaultKind.LOST,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that goes wrong *times* times (`None`: until removed) with *probability*.

    *on* tells which Graph calls it hits: `send`, `action` (typing, seen, reactions), `read` or
    `any`; faults of webhooks need no telling. *seconds* is how long the slow ones take.
    """

    kind: FaultKind
    times: int | None = None
    probability: float = 1.0
    on: _On = "send"
    seconds: float = 2.0

    def __post_init__(self) -> None:
        """Refuse values that can't be meant."""
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1")
        if not 0 < self.probability <= 1:
            raise ValueError("probability must be above 0 and at most 1")
        if self.seconds < 0:
            raise ValueError("seconds must not be negative")
        if self.on not in get_args(_On):
            raise ValueError(f"on must be one of {', '.join(get_args(_On))}")

    def hits(self, target: Target) -> bool:
        """Whether it is about things like *target*."""
        if self.kind in ON_THE_WAY or target == "webhook":
            return self.kind in ON_THE_WAY and target == "webhook"
        return self.on in ("any", target)


@dataclass(slots=True)
class _Active:
    fault: Fault
    left: int | None


class Faults:
    """
    The faults that are switched on; the first that hits is the one that happens.

    *on_taken* is called after each that is counted.
    """

    def __init__(self, seed: int = 0, on_taken: Callable[[], None] = lambda: None) -> None:
        self._on_taken = on_taken
        self._active: dict[int, _Active] = {}
        self._count = 0
        # Chance has to be repeatable here, not secret.
        self._random = random.Random(seed)  # noqa: S311

    def add(self, fault: Fault) -> int:
        """Switch *fault* on and return the number to remove it by."""
        self._count += 1
        self._active[self._count] = _Active(fault, fault.times)
        return self._count

    def remove(self, number: int) -> bool:
        """Switch a fault off; return whether it was on."""
        return self._active.pop(number, None) is not None

    def clear(self) -> None:
        """Switch all faults off."""
        self._active.clear()

    def active(self) -> dict[int, tuple[Fault, int | None]]:
        """Return the faults that are on by number, each with how often it will still happen."""
        return {number: (each.fault, each.left) for number, each in self._active.items()}

    def take(self, target: Target) -> Fault | None:
        """Return the fault that happens to *target* now, if one does, and count it."""
        for number, active in self._active.items():
            if active.fault.hits(target) and self._random.random() < active.fault.probability:
                if active.left is not None:
                    active.left -= 1
                if active.left == 0:
                    del self._active[number]
                if active.left is not None:
                    self._on_taken()
                return active.fault
        return None
