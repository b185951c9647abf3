"""Every message has a name in its text, and every piece of an answer names what it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_NAME = re.compile(r"p\d+-\d+")
_PIECE = re.compile(r"Part (\d+) of (\d+) of answer (\d+), to (.*)")


@dataclass(frozen=True, slots=True)
class Part:
    """Piece *number* of the *of* pieces of answer *answer*; *names* are the messages it answers."""

    answer: int
    number: int
    of: int
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """What the person reads."""
        head = f"Part {self.number} of {self.of} of answer {self.answer}"
        return f"{head}, to {' '.join(self.names)}"


def name_of(person: int, number: int) -> str:
    """Return the name of the message *number* of *person*."""
    return f"p{person}-{number}"


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of the messages in *text*, in their order."""
    return tuple(_NAME.findall(text))


def parts(answer: int, names: Sequence[str], of: int) -> Iterator[Part]:
    """Yield the pieces of an answer."""
    for number in range(1, of + 1):
        yield Part(answer, number, of, tuple(names))


def read_part(text: str) -> Part | None:
    """Return the piece that *text* is, `None` if no agent of ours said that."""
    if (found := _PIECE.fullmatch(text)) is None:
        return None
    number, of, answer, names = found.groups()
    return Part(int(answer), int(number), int(of), tuple(names.split()))
