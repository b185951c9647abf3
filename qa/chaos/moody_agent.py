"""Chaos's agent: answers in pieces which name what they answer, at once or one by one, or not."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web

from qa.chaos.names import Part, names_in, parts
from qa.chaos.record import Question, Record
from qa.support import agent as scripted
from qa.support.agent import Act, ScriptedAgent

MAX_PARTS = 3
SLOW = (0.3, 2.0)  # seconds
STREAMED = 0.4  # of the answers
WRITING = (0.0, 0.4)  # seconds that it takes to write a piece
_MOODS = ("well", "error", "slow", "dropped", "hung")
_WEIGHTS = (88, 4, 4, 3, 1)


class MoodyAgent(ScriptedAgent):
    """Notes what it is asked; no two of its answers are the same, not even to the same turn."""

    def __init__(self, record: Record, seed: int) -> None:
        super().__init__()
        self.faults: Counter[str] = Counter()
        self._record = record
        self._random = random.Random(seed)
        self._is_moody = True

    def heal(self) -> None:
        """Answer everything from now on."""
        self._is_moody = False

    def improvise(self, question: scripted.Question) -> Act:
        """Note *question*, and return an answer or a mood."""
        names = names_in(question.text)
        self._record.asked.append(Question(question.headers["Idempotency-Key"], names))
        answer = len(self._record.asked)
        said = list(parts(answer, names, self._random.randint(1, MAX_PARTS)))
        mood = self._random.choices(_MOODS, _WEIGHTS)[0] if self._is_moody else "well"
        if mood != "well":
            self.faults[mood] += 1
        match mood:
            case "error":
                return scripted.sends(500, "")
            case "hung":
                return scripted.hangs
        if self._random.random() < STREAMED:
            return self._writes(said, is_torn=mood == "dropped")
        if mood == "dropped":
            return scripted.drops
        seconds = self._random.uniform(*SLOW) if mood == "slow" else 0.0

        async def answers(_question: scripted.Question) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return web.json_response({"reply": [part.text for part in said]})

        return answers

    def _writes(self, said: Sequence[Part], *, is_torn: bool) -> Act:
        """Return what streams *said* piece by piece; one that *is_torn* breaks off behind one."""
        pauses = [self._random.uniform(*WRITING) for _ in said]
        pieces = self._random.randint(0, len(said) - 1) if is_torn else len(said)

        async def writes(question: scripted.Question) -> web.StreamResponse | None:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            with suppress(ConnectionResetError):  # the service that asked was killed
                await response.prepare(question.request)
                for part, pause in list(zip(said, pauses, strict=True))[:pieces]:
                    for frame in ({"reply": part.text}, {"end": True}):
                        await response.write(f"data: {json.dumps(frame)}\n\n".encode())
                    await asyncio.sleep(pause)
                if is_torn:
                    return None
                await response.write(b"data: [DONE]\n\n")
            return response

        return writes
