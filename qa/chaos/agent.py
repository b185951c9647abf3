"""The agent: answers in one to three pieces which name what they answer, if it answers at all."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from qa.chaos.names import names_in, parts
from qa.chaos.record import Question, Record
from qa.chaos.serving import serving

MAX_PARTS = 3
SLOW = (0.3, 2.0)  # seconds
_MOODS = ("well", "error", "slow", "dropped", "hung")
_WEIGHTS = (88, 4, 4, 3, 1)


class Agent:
    """Notes what it is asked; no two of its answers are the same, not even to the same turn."""

    def __init__(self, record: Record, seed: int) -> None:
        self.url = ""
        self.faults: Counter[str] = Counter()
        self._record = record
        self._random = random.Random(seed)
        self._is_moody = True

    def heal(self) -> None:
        """Answer everything from now on."""
        self._is_moody = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a question, or do not."""
        asked = await request.json()
        names = names_in(asked["text"])
        self._record.asked.append(Question(request.headers["Idempotency-Key"], names))
        answer = len(self._record.asked)
        said = parts(answer, names, self._random.randint(1, MAX_PARTS))
        reply = web.json_response({"reply": [part.text for part in said]})
        return await self._in_mood(request, reply)

    async def _in_mood(self, request: web.Request, reply: web.Response) -> web.StreamResponse:
        mood = self._random.choices(_MOODS, _WEIGHTS)[0] if self._is_moody else "well"
        if mood != "well":
            self.faults[mood] += 1
        match mood:
            case "error":
                return web.Response(status=500)
            case "slow":
                await asyncio.sleep(self._random.uniform(*SLOW))
            case "dropped":
                assert request.transport is not None
                request.transport.abort()
            case "hung":
                await asyncio.Event().wait()
        return reply


@asynccontextmanager
async def open_agent(record: Record, seed: int) -> AsyncIterator[Agent]:
    """Run an agent while the block does."""
    agent = Agent(record, seed)
    app = web.Application()
    app.router.add_post("/", agent.handle)
    async with serving(app) as url:
        agent.url = f"{url}/"
        yield agent
