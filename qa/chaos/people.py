"""People write: one message, several in a row, or many people within one webhook."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from instagram_simulator import Simulator
from qa.chaos.names import name_of
from qa.chaos.record import Record

_HABITS = ("one", "burst", "batch")
_WEIGHTS = (70, 15, 15)
BURST = 4  # messages at most, and people at most in a webhook


class People:
    """*count* people who write to the account, by chance."""

    def __init__(self, meta: Simulator, record: Record, count: int, seed: int) -> None:
        self._meta = meta
        self._record = record
        self._random = random.Random(seed)
        self._igsids = [meta.add_person(f"Person {number}").igsid for number in range(count)]
        self._spoken: Counter[int] = Counter()

    async def write(self, messages: int, seconds: float) -> None:
        """Write at least *messages* within *seconds*, at random moments."""
        until = asyncio.get_running_loop().time() + seconds
        while (left := messages - self._spoken.total()) > 0:
            self._write_some()
            rest = max(until - asyncio.get_running_loop().time(), 0)
            await asyncio.sleep(self._random.uniform(0, 2) * rest / left)

    def arrived(self) -> dict[str, list[str]]:
        """Return the texts on each person's phone, in order."""
        return {
            igsid: [message.content.text or "" for message in self._meta.applied(igsid)]
            for igsid in self._igsids
        }

    def _write_some(self) -> None:
        often = self._random.randint(2, BURST)
        match self._random.choices(_HABITS, _WEIGHTS)[0]:
            case "one":
                self._say(self._someone())
            case "burst":
                person = self._someone()
                for _ in range(often):
                    self._say(person)
            case "batch":
                with self._meta.dispatch.batch():
                    for _ in range(often):
                        self._say(self._someone())

    def _someone(self) -> int:
        return self._random.randrange(len(self._igsids))

    def _say(self, person: int) -> None:
        name = name_of(person, self._spoken[person])
        self._spoken[person] += 1
        self._record.say(self._igsids[person], name)
        self._meta.phones.say(self._igsids[person], name)
