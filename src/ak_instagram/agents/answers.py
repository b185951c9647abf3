"""
Answers: an agent is asked within bounds, and its parts are cleaned once, behind all adapters.

Whatever gets an answer afterwards relies on it: its strings can be stored and sent, and its
model's thoughts are left out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import astuple, fields, is_dataclass, replace
from itertools import zip_longest
from typing import Any

from ak_instagram.errors import Permanent, Transient
from ak_instagram.text import sanitize

from .agent import Agent, MessageEnd, Part, Text, Turn, prompt
from .answer_schema import document_in
from .complaint import quoted
from .failures import EXCEPTION, failure

_NAME = r"(?:seed:)?(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad)"
_TAG = re.compile(
    rf"""
      (?P<end> </{_NAME}> | \[/THINK\] | ◁/think▷ | <\|end_of_thought\|>
             | <\|channel\|>\s*final\s*<\|message\|> )
    | <{_NAME}> | \[THINK\] | ◁think▷ | <\|begin_of_thought\|>
    | <\|channel\|>\s*(?:analysis|commentary)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# No text without any of these has such a tag.
_TAG_BEGIN = re.compile(r"[<◁]|\[/?THINK\]", re.IGNORECASE)
_BETWEEN = "\0"  # two texts; no sanitized text has it


async def ask(agent: Agent, turn: Turn, max_answer: int, timeout: float) -> list[Part]:
    """
    Return all parts of *agent*'s answer to *turn*, cleaned.

    An answer of more than *max_answer* bytes, thoughts included, is `Permanent`. One that
    takes longer than *timeout* seconds is `Transient`, and so is one that ends in a thought.
    The text of an exception is no answer, unless the person wrote it. A text that as a whole is
    a document of the answer schema is what that says.
    """
    answer: list[Part] = []
    room = max_answer
    parts = agent.answer(turn)
    try:
        async with asyncio.timeout(timeout):
            async for part in parts:
                # At least 1, so that endless parts without text end too.
                room -= max(1, _bytes_in(part.text if isinstance(part, Text) else astuple(part)))
                if room < 0:
                    raise Permanent(f"agent's answer exceeds agent.max_answer ({max_answer})")
                answer.append(part)
    except TimeoutError as exc:
        raise Transient(f"agent took longer than agent.timeout ({timeout:g} s)") from exc
    finally:
        if (aclose := getattr(parts, "aclose", None)) is not None:  # lets go of connections
            await aclose()
    cleaned = clean(answer)
    match cleaned:
        case [Text(text)] | [Text(text), MessageEnd()] if text.lstrip()[:1] in ("{", "`") and (
            said := document_in(text)
        ):
            return clean(said)
        case [Text(text), *_] if EXCEPTION.match(text) and text.strip() not in prompt(turn):
            raise failure(text, "agent's answer is an error", quoted(text, turn, None, ()))
    return cleaned


def _bytes_in(value: object) -> int:
    """Return the bytes of all strings in nested tuples, in UTF-8."""
    if isinstance(value, str):
        return len(value.encode(errors="replace"))
    return sum(map(_bytes_in, value)) if isinstance(value, tuple) else 0


def clean(parts: Iterable[Part]) -> list[Part]:
    """
    Return *parts* such that all their strings can be encoded and stored, without thoughts.

    Texts that run on are one. Raises `Transient` if a thought does not end: its model
    was cut off before it came to the answer.
    """
    runs: list[list[str]] = [[]]
    others: list[Part] = []
    for part in parts:
        if isinstance(part, Text):
            runs[-1].append(part.text)
        else:
            others.append(_sanitized(part))
            runs.append([])
    texts = list(map("".join, runs))
    whole = "".join(texts)
    if not whole.isascii() or "\0" in whole:  # plain texts need no cleaning
        texts = list(map(sanitize, texts))
    said = _BETWEEN.join(texts)
    if _TAG_BEGIN.search(said):
        said = without_thoughts(said)
    cleaned: list[Part] = []
    for text, other in zip_longest(said.split(_BETWEEN), others):
        if text:
            cleaned.append(Text(text))
        if other is not None:
            cleaned.append(other)
    return cleaned


def without_thoughts(text: str) -> str:
    """
    Return *text* without what its model thought.

    An end without a beginning ends a thought that began before the text did, as
    chat templates open it for the model: only what follows is the answer. Raises
    `Transient` if a thought does not end.
    """
    thoughts: list[tuple[int, int]] = []
    began: int | None = None
    for tag in _TAG.finditer(text):
        if tag["end"] and began is None:
            thoughts = [(0, tag.end())]
        elif tag["end"] and began is not None:
            thoughts.append((began, tag.end()))
            began = None
        elif began is None:
            began = tag.start()
    if began is not None:
        raise Transient("agent's answer ends within a thought")
    said: list[str] = []
    at = 0
    for start, end in thoughts:
        said += (text[at:start], _BETWEEN * text.count(_BETWEEN, start, end))
        at = end
    return "".join([*said, text[at:]]).strip() if thoughts else text


def _sanitized(value: Any) -> Any:  # noqa: ANN401 - whatever a plug-in puts into a part
    """Return *value*, a part or what it holds, with all strings in it sanitized."""
    if isinstance(value, str):
        return sanitize(value)
    if isinstance(value, tuple | list):
        return tuple(map(_sanitized, value))
    if is_dataclass(value) and not isinstance(value, type):
        inside = {it.name: _sanitized(getattr(value, it.name)) for it in fields(value)}
        return replace(value, **inside)
    return value
