"""Paths into a JSON document, and conditions on what they lead to. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from ak_instagram.agents.failures import is_persons_message

ALL = "*"
JOINED = "+"
WHOLE = "."

_STEP = re.compile(r"-?\d+|[*+]|[^\s.,*+=!]+(?: [^\s.,*+=!]+)*")
_THOUGHTS = ("thinking", "reasoning")
_CONDITION = re.compile(r"(not\s+)?([^\s=!]+?)(?:\s*(==|!=|\sin\s)\s*(.*))?", re.DOTALL)


class Nothing(Enum):
    """The mark of a path that leads nowhere; null is something else."""

    HERE = "nothing"


NOTHING = Nothing.HERE

# --- paths ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """
    A dotted path: names, and numbers that count into a list, from its end if negative.

    `*` takes all items of a list, and so does a name that meets one. `+` joins their texts.
    `.` is the whole document.
    """

    text: str
    steps: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Path:
        """Return the path that *text* spells; `ValueError` says what is wrong with it."""
        text = text.strip()
        steps = () if text in ("", WHOLE) else tuple(text.split("."))
        for step in steps:
            if not step:
                raise ValueError(f"`{text}` has an empty step: write it as `data.0.text`")
            if not _STEP.fullmatch(step):
                raise ValueError(
                    f"`{text}` has a step `{step}` that is neither a name, a number, `*` nor `+`"
                )
        return cls(text or WHOLE, steps)

    def find(self, document: object) -> object:
        """
        Return what is there in *document*, or `NOTHING`.

        All items of a list are a list of what the rest of the path finds in them: items that
        have nothing there are left out, and so are the person's messages and thoughts.
        """
        return _find(document, self.steps)


def _find(value: object, steps: Sequence[str]) -> object:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        return _find(value[step], rest) if step in value else NOTHING
    if not isinstance(value, list):
        return NOTHING
    if re.fullmatch(r"-?\d+", step):
        at = int(step)
        return _find(value[at], rest) if -len(value) <= at < len(value) else NOTHING
    items = [item for item in value if not (is_persons_message(item) or is_thought(item))]
    found = _found_in(items, rest if step in (ALL, JOINED) else steps)
    if items and not found:
        return NOTHING
    if step == JOINED and all(isinstance(it, str | None) for it in found):
        return "".join(str(it or "") for it in found)
    return found


def is_thought(item: object) -> bool:
    """Return whether *item* is a part that says itself that its model only thought it."""
    return isinstance(item, dict) and (item.get("thought") is True or item.get("type") in _THOUGHTS)


def _found_in(items: Iterable[object], steps: Sequence[str]) -> list[object]:
    """Return what *steps* find in each of *items*, lists of them laid out in one."""
    flat: list[object] = []
    for item in items:
        found = _find(item, steps)
        if isinstance(found, list):
            flat += found
        elif found is not NOTHING:
            flat.append(found)
    return flat


# --- conditions -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """
    What may be true of a document: `PATH`, `not PATH`, `PATH == VALUE`, `!=`, or `in [VALUES]`.

    A path alone asks for something that is neither null, false, zero nor empty. Of several
    items one is enough; `!=` wants none.
    """

    text: str
    path: Path
    relation: Literal["is", "==", "!="]
    values: tuple[object, ...] = ()
    negated: bool = False

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Return the condition that *text* spells; `ValueError` says what is wrong with it."""
        matched = _CONDITION.fullmatch(text.strip())
        if matched is None:
            raise ValueError(f"`{text}` is no condition: write it as `status == COMPLETED`")
        negation, path, sign, value = matched.groups()
        sign = (sign or "").strip()
        if sign and (negation or not value.strip()):
            raise ValueError(f"`{text}` is no condition: write it as `status == COMPLETED`")
        return cls(
            text.strip(),
            Path.parse(path),
            "is" if not sign else "!=" if sign == "!=" else "==",
            _values(value, text) if sign == "in" else (_value(value),) if sign else (),
            negated=bool(negation),
        )

    def holds(self, document: object) -> bool:
        """Return whether it is true of *document*."""
        found = self.path.find(document)
        if self.relation == "is":
            return (found is not NOTHING and bool(found)) is not self.negated
        items = found if isinstance(found, list) else [found]
        is_one = any(_equal(item, value) for item in items for value in self.values)
        return is_one is (self.relation == "==")


def _value(text: str) -> object:
    """Return the JSON value that *text* is, or the text itself: `COMPLETED` needs no quotes."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text.strip()
    return value


def _values(text: str, condition: str) -> tuple[object, ...]:
    """Return the values of a list, whose words need no quotes either."""
    inside = re.fullmatch(r"\s*\[(.*)\]\s*", text, re.DOTALL)
    if inside is None or not inside[1].strip():
        raise ValueError(f"`{condition}` needs a list after `in`: `status in [DONE, COMPLETED]`")
    return tuple(_value(each) for each in inside[1].split(","))


def _equal(found: object, value: object) -> bool:
    return isinstance(found, bool) is isinstance(value, bool) and found == value
