"""The demo's conversation: its script, played step by step, and shown on the terminal."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from instagram_simulator.journal import Entry
from instagram_simulator.simulator import Simulator
from instagram_simulator.values import Person

_WIDTH = 84
_LINES = 3  # of a long message

GREETING = "Hi! Are you open on Sunday?"
UMLAUTS = "Grüße aus Köln! Habt ihr noch Tulpen für 12 €? 🌷👩‍🌾"
LONG = "\n\n".join(
    [
        "Now something longer, for Instagram takes at most 1000 bytes in a message. "
        "I am planning a wedding with eighty guests, and I would like to tell you about it at once "
        "instead of in twenty little messages. We will be outdoors, in an old orchard, with long "
        "tables under the apple trees, so nothing may be too tall, or nobody sees each other.",
        "The colours should be those of late summer: cream, apricot, a little rust, and as much "
        "green as you can find. My grandmother loves dahlias, my mother can't stand lilies, and "
        "the dog eats whatever he can reach; please think of all three. On each of the ten tables "
        "I imagine three low vases of different sizes, and something that trails between them.",
        "Für die Gäste aus Köln hätte ich gern kleine Sträuße zum Mitnehmen, größer als eine Hand, "
        "aber klein genug für den Zug. 🌼 Пусть будут и полевые цветы. 桔梗もお願いします。 "
        "The bouquet itself may be a surprise, as long as it can be thrown without hurting anyone.",
        "Could you tell me what that costs, when you would need to know the exact number, whether "
        "you deliver to a place without an address, and who takes the vases back? We can pay a "
        "third now, a third in August, and the rest on the day. If you think that all of this is "
        "too much, say so: I would rather have half of it done well than all of it done in haste. "
        "Thank you for reading this far. That was all of it.",
    ]
)

SCRIPT = (GREETING, UMLAUTS, LONG)


def is_echo_of(question: str, pieces: Sequence[str]) -> bool:
    """Whether *pieces* say all of *question*; white space may be lost where it was cut."""
    return "".join("".join(pieces).split()) == "".join(question.split())


class StepFailed(Exception):
    """A step of the conversation did not work; the message says which and why."""


@dataclass(frozen=True)
class Play:
    """
    The script, written as *person*; *show* gets the lines of what comes back.

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
            self.show(asked(question))
            await self.ask(question)
            self.meta.phones.look(self.person.igsid)
            self.show("")

    async def ask(self, question: str) -> None:
        """Send *question* and return when it has been answered."""
        after = self.meta.journal.seq
        mid = self.meta.phones.say(self.person.igsid, question).mid
        step = Step(mid, self.person.igsid, self.show)
        try:
            async with asyncio.timeout(self.limit) as limit:
                async for entry in self.meta.journal.follow(after):
                    if step.take(entry) and self.is_whole(question, step.pieces, limit):
                        return
        except TimeoutError:
            self.check_silence(step)

    def is_whole(self, question: str, pieces: list[str], limit: asyncio.Timeout) -> bool:
        """Whether the answer is complete; for an agent that is not known before it is quiet."""
        if self.is_echo:
            return is_echo_of(question, pieces)
        limit.reschedule(asyncio.get_running_loop().time() + self.quiet)
        return False

    def check_silence(self, step: Step) -> None:
        """Raise `StepFailed` unless it is right that nothing more came."""
        if step.pieces and not self.is_echo:
            return
        if not step.is_accepted:
            raise StepFailed(f"the service did not accept the webhook within {self.limit:g} s")
        if not step.pieces:
            raise StepFailed(f"no answer within {self.limit:g} s")
        raise StepFailed(f"the answer was not complete after {self.limit:g} s")


class Step:
    """The course of one step: all that has happened since a question was asked."""

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
            self.take_webhook(entry)
        elif entry.data.get("igsid") != self._igsid:
            return False
        elif entry.kind == "seen" and entry.data["by"] == "account":
            self._show(happened("seen", self.elapsed))
        elif entry.kind == "typing":
            if entry.data["is_on"] and not self._is_typing:  # that it goes on is no news
                self._show(happened("typing…", self.elapsed))
            self._is_typing = entry.data["is_on"]
        elif entry.kind == "message" and entry.data["author"] == "service":
            self.pieces.append(entry.data["text"] or "")
            self._show(answered(entry.data["text"] or "[attachment]", self.elapsed))
            return True
        return False

    def take_webhook(self, entry: Entry) -> None:
        """Note and show that the service has accepted the question."""
        is_about_it = any(mid == self._mid for _, _, mid in entry.data["events"])
        if is_about_it and entry.data["status"] == 200:
            self.is_accepted = True
            self._show(happened("webhook accepted", self.elapsed))

    @property
    def elapsed(self) -> float:
        """Milliseconds since the question."""
        return (time.perf_counter() - self._began) * 1000


def asked(text: str) -> str:
    """Return the lines of a message that the person wrote."""
    return speech("→ you:", text, "magenta")


def answered(text: str, milliseconds: float) -> str:
    """Return the lines of a piece of the answer, with the time since the question."""
    return speech("← shop:", text, "blue") + click.style(f"  +{milliseconds:.0f} ms", dim=True)


def happened(what: str, milliseconds: float | None = None) -> str:
    """Return the line of something that is not said, like `seen`."""
    when = "" if milliseconds is None else f"  +{milliseconds:.0f} ms"
    return click.style(f"          {what}{when}", dim=True)


def failed(why: str) -> str:
    """Return the line that says *why* a step did not work."""
    return click.style(f"  ✗ {why}", fg="red", bold=True)


def fact(name: str, value: str) -> str:
    """Return a line of the heading."""
    return f"  {click.style(f'{name:<10}', dim=True)} {value}"


def speech(who: str, text: str, colour: str) -> str:
    """Return *text* under *who*; of a long one its beginning and its size."""
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH)
    shown = lines[:_LINES]
    if len(lines) > _LINES:
        shown[-1] += f" … ({len(text.encode()):,} bytes)"
    indent = "\n" + " " * 10
    return f"  {click.style(f'{who:<7}', fg=colour, bold=True)} {indent.join(shown)}"
