"""What holds for every agent, plug-ins too: an answer is neither too long nor too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import astuple

from ak_instagram.errors import Permanent, Transient
from ak_instagram.text import sanitize

from .agent import Agent, Part, Text, Turn


class Limited:
    """
    An agent whose answers are cut off after *max_answer* bytes or *timeout* seconds.

    Too long is `Permanent`, too late is `Transient`.
    """

    def __init__(self, agent: Agent, max_answer: int, timeout: float) -> None:
        self._agent = agent
        self._max_answer = max_answer
        self._timeout = timeout

    @property
    def history(self) -> int:
        """As many past utterances as the agent wants."""
        return self._agent.history

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the agent's parts while they are within the limits."""
        deadline = asyncio.get_running_loop().time() + self._timeout
        room = self._max_answer
        parts = self._agent.answer(turn)
        try:
            while (part := await self._next(parts, deadline)) is not None:
                room -= _size(part)
                if room < 0:
                    raise Permanent(f"agent's answer exceeds agent.max_answer ({self._max_answer})")
                yield _clean(part)
        finally:
            await _close(parts)

    async def _next(self, parts: AsyncIterator[Part], deadline: float) -> Part | None:
        """Return the next part, `None` after the last; `Transient` once *deadline* has passed."""
        # A time-out must not span a `yield`: whoever consumes the parts may do so in another
        # task by then, or be cancelled in between. So each wait gets its own.
        try:
            async with asyncio.timeout_at(deadline):
                return await anext(parts, None)
        except TimeoutError as exc:
            raise Transient(f"agent took longer than agent.timeout ({self._timeout:g} s)") from exc


async def _close(parts: AsyncIterator[Part]) -> None:
    """Let go of what *parts* still holds, such as a connection."""
    aclose = getattr(parts, "aclose", None)
    if aclose is not None:
        await aclose()


def _size(part: Part) -> int:
    """Return the bytes of text in *part*; at least 1, so that endless parts end too."""
    if isinstance(part, Text):
        return max(1, _bytes_in(part.text))
    return max(1, _bytes_in(astuple(part)))


def _bytes_in(value: object) -> int:
    """Return the bytes of all strings in nested tuples."""
    if isinstance(value, str):
        return len(value.encode(errors="replace"))
    if isinstance(value, tuple):
        return sum(map(_bytes_in, value))
    return 0


def _clean(part: Part) -> Part:
    """Return *part* with text that can be stored and sent."""
    return Text(sanitize(part.text)) if isinstance(part, Text) else part
