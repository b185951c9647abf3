"""One conversation, played step by step on what happens in the simulator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from instagram_simulator.journal import Entry
from instagram_simulator.simulator import Simulator
from instagram_simulator.values import Person

from . import transcript
from .script import SCRIPT, is_echo_of


class StepFailed(Exception):
    """A step of the conversation did not work; the message says which and why."""


@dataclass(frozen=True)
class Play:
    """
    Writes as *person* and shows what comes back.

    An `echo` has to come back whole; of any other agent at least one piece, and the
    answer ends when for *quiet* seconds nothing has followed. A step takes *limit*
    seconds at most.
    """

    meta: Simulator
    person: Person
    is_echo: bool
    limit: float
    show: Callable[[str], None]
    quiet: float = 2.0

    async def run(self) -> None:
        """Play the whole script; raise `StepFailed` at the first step that does not work."""
        for question in SCRIPT:
            self.show(transcript.asked(question))
            await self._ask(question)
            self.meta.phones.look(self.person.igsid)
            self.show("")

    async def _ask(self, question: str) -> None:
        """Send *question* and return when it has been answered."""
        after = self.meta.journal.seq
        mid = self.meta.phones.say(self.person.igsid, question).mid
        step = _Step(mid, self.person.igsid, self.show)
        try:
            async with asyncio.timeout(self.limit) as limit:
                async for entry in self.meta.journal.follow(after):
                    if step.take(entry) and self._is_whole(question, step.pieces, limit):
                        return
        except TimeoutError:
            self._judge(step)

    def _is_whole(self, question: str, pieces: list[str], limit: asyncio.Timeout) -> bool:
        """Whether the answer is complete; for an agent that is not known before it is quiet."""
        if self.is_echo:
            return is_echo_of(question, pieces)
        limit.reschedule(asyncio.get_running_loop().time() + self.quiet)
        return False

    def _judge(self, step: _Step) -> None:
        """Decide what it means that nothing more came."""
        if step.pieces and not self.is_echo:
            return
        if not step.is_accepted:
            raise StepFailed(f"the service did not accept the webhook within {self.limit:g} s")
        if not step.pieces:
            raise StepFailed(f"no answer within {self.limit:g} s")
        raise StepFailed(f"the answer was not complete after {self.limit:g} s")


class _Step:
    """What has happened since a question was asked."""

    def __init__(self, mid: str, igsid: str, show: Callable[[str], None]) -> None:
        self.pieces: list[str] = []
        self.is_accepted = False
        self._mid = mid
        self._igsid = igsid
        self._show = show
        self._began = time.perf_counter()
        self._is_typing = False

    def take(self, entry: Entry) -> bool:
        """Note and show *entry*; return whether it is a further piece of the answer."""
        if entry.kind == "webhook":
            self._take_webhook(entry)
        elif entry.data.get("igsid") != self._igsid:
            return False
        elif entry.kind == "seen" and entry.data["by"] == "account":
            self._happened("seen")
        elif entry.kind == "typing":
            self._take_typing(entry)
        elif entry.kind == "message" and entry.data["author"] == "service":
            self.pieces.append(entry.data["text"] or "")
            self._show(transcript.answered(entry.data["text"] or "[attachment]", self._elapsed()))
            return True
        return False

    def _take_webhook(self, entry: Entry) -> None:
        is_about_it = any(mid == self._mid for _, _, mid in entry.data["events"])
        if is_about_it and entry.data["status"] == 200:
            self.is_accepted = True
            self._happened("webhook accepted")

    def _take_typing(self, entry: Entry) -> None:
        """Show that typing began; that it goes on is no news."""
        if entry.data["is_on"] and not self._is_typing:
            self._happened("typing…")
        self._is_typing = entry.data["is_on"]

    def _happened(self, what: str) -> None:
        self._show(transcript.happened(what, self._elapsed()))

    def _elapsed(self) -> float:
        return (time.perf_counter() - self._began) * 1000
