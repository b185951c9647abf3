"""The one endpoint behind every Graph path: read, apply unless a fault strikes, note, answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from instagram_simulator.core import Core
from instagram_simulator.server import ABORT

from .answers import Answer, GraphError, json_answer
from .api import Api
from .calls import Call, read_call
from .faulty import with_fault


class Graph:
    """The fake `graph.instagram.com`, for the accounts of one world."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._api = Api(core)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        started = time.perf_counter()
        try:
            call = await read_call(Request(scope, receive))
        except GraphError as error:
            await _respond(error.answer(), scope, receive, send)
            return
        answer = await self._answer(call, receive)
        self._note(call, answer, started)
        await _respond(answer, scope, receive, send)

    async def _answer(self, call: Call, receive: Receive) -> Answer:
        """Return the answer of Meta or of the fault that struck."""

        async def apply() -> Answer:
            """Return what Meta answers, whatever becomes of it."""
            try:
                return json_answer(await self._api.apply(call))
            except GraphError as error:
                return error.answer()

        async def silence() -> None:
            """Return when the caller has gone, or everything ends."""
            await _first_of(receive(), self._core.closing.wait())

        return await with_fault(self._core.faults.take(call.target), apply, silence)

    def _note(self, call: Call, answer: Answer, started: float) -> None:
        self._core.journal.write(
            "graph",
            method=call.method,
            path=call.path,
            target=call.target,
            status=None if answer.is_dropped else answer.status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            request=call.body or None,
            query={name: value for name, value in call.query.items() if name != "access_token"},
            response=_readable(answer),
        )


def _readable(answer: Answer) -> object:
    """Return the body for the journal: as JSON where it is, without tokens."""
    if answer.is_dropped or not answer.content_type.startswith("application/json"):
        return answer.body.decode()
    body = json.loads(answer.body)
    return {name: "…" if name == "access_token" else value for name, value in body.items()}


async def _first_of(*events: Awaitable[object]) -> None:
    """Return when one of *events* has happened."""
    tasks = [asyncio.ensure_future(event) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def _respond(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    if answer.is_dropped:
        await _drop(scope, receive)
        return
    headers = dict(answer.headers)
    response = Response(answer.body, answer.status, headers, answer.content_type)
    await response(scope, receive, send)


async def _drop(scope: Scope, receive: Receive) -> None:
    """Break the line: the caller gets no answer, not even a status."""
    scope["extensions"][ABORT]["line"]()
    while (await receive())["type"] != "http.disconnect":
        pass
