"""Complaints: the few words of an agent's error body that may be quoted in a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ak_instagram.masking import MASK, Masking

from .agent import Turn
from .prompt import attachments_of

LONGEST = 200  # characters of a quote
_READ = 1000  # characters that are looked at for what must not be quoted
_RUN = 12  # characters; a longer run that two texts share is no coincidence
_KEY = re.compile(r"\bsk-[\w*.-]{6,}")  # an API key, also one that the server shortened
_BETWEEN = re.compile(r"[^\w@.+-]+")
_TELLING = re.compile(r"[\d@]")
_LEAST = 4  # characters; a shorter word says too little to be anyone's


def complaint(document: Mapping[str, object]) -> str:
    """
    Return the machine words of an error *document*: type, code and message in one line.

    These are OpenAI's `error`, FastAPI's `detail`, or the same names at the top. Values
    that a validation error repeats (`input`, `ctx`) are none of them.
    """
    error = document.get("error") or document.get("detail") or document
    if isinstance(error, list):
        error = next(iter(error), None)
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return ""
    place = error.get("loc")
    path = ".".join(map(str, place)) if isinstance(place, list) else None
    names = [error.get("type"), error.get("code"), path]
    label = " ".join(dict.fromkeys(str(name) for name in names if isinstance(name, (str, int))))
    told = (error.get(name) for name in ("message", "msg", "detail", "error"))
    message = next((text for text in told if isinstance(text, str)), "")
    return ": ".join(filter(None, [label, message]))


def quoted(text: str, turn: Turn | None, body: object, secrets: Iterable[str]) -> str:
    """
    Return *text* as it may be logged: one line, *secrets* masked, cut at `LONGEST`.

    Empty if it repeats anything that was said in *turn*, or of *body* if there is no turn.
    """
    said = words_of(turn) if turn else texts_in(body)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_READ]
    masked = str(Masking(secrets)(None, "", {"reason": _KEY.sub(MASK, line)})["reason"])
    if any(_repeats(line.casefold(), " ".join(each.split()).casefold()) for each in said):
        return ""
    return masked if len(masked) <= LONGEST else masked[: LONGEST - 1] + "…"


def texts_in(value: object) -> Iterator[str]:
    """Yield every string in nested lists and objects, names left out."""
    match value:
        case str():
            yield value
        case Mapping():
            for item in value.values():
                yield from texts_in(item)
        case list() | tuple():
            for item in value:
                yield from texts_in(item)


def words_of(turn: Turn) -> list[str]:
    """Return each text that came from the person or was said to them; none is to be logged."""
    return [
        *(line.text for line in turn.history),
        *(message.text for message in turn.messages),
        *(message.payload or "" for message in turn.messages),
        *(value for message in turn.messages for value in (message.context or {}).values()),
        *(text or "" for it in attachments_of(turn) for text in (it.title, it.url)),
    ]


def _repeats(line: str, said: str) -> bool:
    """Return whether *line* has all of *said*, a run of it, or a telling word of it."""
    if not said:
        return False
    if not said.isascii() and said in line:  # not every script parts its words
        return True
    if _telling(said) & _telling(line) or re.search(rf"(?<!\w){re.escape(said)}(?!\w)", line):
        return True
    run = _RUN if said.isascii() else _RUN // 2
    runs = {line[at : at + run] for at in range(len(line) - run + 1)}
    return any(said[at : at + run] in runs for at in range(len(said) - run + 1))


def _telling(text: str) -> set[str]:
    """Return the words that tell too much by themselves: numbers, addresses, account names."""
    words = (word.strip("+-.") for word in _BETWEEN.split(text) if _TELLING.search(word))
    return {word for word in words if len(word) >= _LEAST}
