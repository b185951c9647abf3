"""
LangGraph's Agent Server: a run on the conversation's thread, `POST /threads/{id}/runs/stream`.

The server keeps threads and runs, and so each turn begins with a look: whether an earlier attempt
has run or still runs, and whether the graph waits for what the person says now. Nothing of that
is kept here.

A message that others follow in the state has passed the nodes that look at it, and is told; the
last one may still be rewritten, and waits for the run's end.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from ak_instagram.agents.agent import MessageEnd, Needs, Part, Text, Turn, attachments_of, prompt
from ak_instagram.agents.approvals import decision
from ak_instagram.agents.failures import failure_in
from ak_instagram.agents.transport import (
    JSON_OR_EVENTS,
    AgentResponse,
    Endpoint,
    JsonObject,
    agent_url,
)
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

from .http.template import attachment_json
from .langgraph_state import (
    STAFF,
    approval_of,
    decisions_of,
    interrupts_of,
    is_for_person,
    message_ids,
    passed,
    read_state,
)

if TYPE_CHECKING:
    import aiohttp

DEFAULT_ASSISTANT = "agent"  # as LangGraph's templates call their graph
RUNS = 3  # the newest of a thread that are looked at
MAX_BODY = 8 * 1024 * 1024  # bytes; each answer has the whole conversation

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "ak-instagram")
# Of a run that has an answer, or will have one.
_WORTH_JOINING = frozenset({"pending", "running", "success"})
_FAILED = "agent's run failed"
# The whole state after each step, and what nodes add: in it all versions tell that a run waits.
_STREAM = {"stream_mode": ["values", "updates"]}
_INTERRUPT = "__interrupt__"
_ERROR = {"error", "message"}  # what an event of a failure has, and no state


class LangGraph:
    """Asks an assistant: `instagram.agent`, else `agent.model`, else the graph `agent`."""

    history = 0
    needs = Needs(
        always=(("agent.url", "set the server's root, for example http://localhost:2024"),)
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        self._root = agent_url(settings).rstrip("/")
        key = {"X-Api-Key": settings.api_key} if settings.api_key else {}
        self._endpoint = Endpoint(
            settings,
            session,
            self._root,
            asks_model=True,
            headers=key,
            accept=JSON_OR_EVENTS,
            max_body=MAX_BODY,
        )
        self._streams = settings.stream
        self._assistant = settings.model or DEFAULT_ASSISTANT
        self._asks_person = settings.paused != "handoff"
        # Empty unless approvals are the person's.
        self._words = settings.approval_words if settings.paused == "approve" else ()

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the graph's new messages, then the question for which it waits."""
        thread = await self._look(turn, "")
        runs = await self._look(turn, f"/runs?limit={RUNS}") if thread else []
        earlier = run_of(turn, runs)
        pending = interrupts_of(thread)
        command: object = None
        if earlier.get("status") in _WORTH_JOINING:
            for part in self._read(await self._join(turn, earlier.get("run_id")), turn.id):
                yield part
            return
        if is_same_resume(earlier):
            command = earlier["kwargs"]["command"]
        elif pending and self._words and (asked := approval_of(pending, self._words)):
            if (decided := decision(turn)) is None:
                for part in asked:  # it takes a tap
                    yield part
                return
            command = {"resume": decisions_of(decided)}
        elif pending:
            if not (self._asks_person and is_for_person(pending)):
                yield STAFF
                return
            command = {"resume": prompt(turn)}
        body = run_body(turn, turn.agent or self._assistant, command)
        async with aclosing(self._run(turn, body, message_ids(thread))) as parts:
            async for part in parts:
                yield part

    async def _run(
        self, turn: Turn, body: JsonObject, known: frozenset[str]
    ) -> AsyncGenerator[Part]:
        """
        Yield what a run says, beside the messages that are *known*.

        A stream that breaks off does not end the run: its outcome is waited for.
        """
        if not self._streams:
            url = self._url(turn, "/runs/wait")
            async with self._endpoint.ask(turn.id, body, turn, url=url) as answer:
                for part in self._read(await state_in(answer), turn.id, known):
                    yield part
            return
        url = self._url(turn, "/runs/stream")
        told, run, failed, is_whole = known, "", None, False
        state: JsonObject = {}
        try:
            async with self._endpoint.ask(turn.id, body | _STREAM, turn, url=url) as answer:
                if not answer.is_stream:
                    for part in self._read(await state_in(answer), turn.id, known):
                        yield part
                    return
                async for event in answer.frames(lambda _: False, needs_end=False):
                    if not run:  # the first event names it
                        run = str(event.get("run_id") or "")
                    elif event.keys() == _ERROR:
                        failed = failure_in({"__error__": event})
                        break
                    elif _INTERRUPT in event:
                        state |= event
                    elif isinstance(event.get("messages"), list):
                        state = event
                    for id_, text in passed(event, turn.id, told):
                        told |= {id_}
                        if text.strip():
                            yield Text(text)
                            yield MessageEnd()
                is_whole = bool(state)
        except Transient:
            if not run:
                raise
        answer.raise_failure(failed, _FAILED)
        if not run:
            raise Transient("agent's stream ended early")
        for part in self._read(state if is_whole else await self._join(turn, run), turn.id, told):
            yield part

    def _read(
        self, state: JsonObject, turn_id: str, known: frozenset[str] = frozenset()
    ) -> list[Part]:
        """Return what *state* says, and asks."""
        return read_state(
            state, turn_id, known, asks_person=self._asks_person, approval_words=self._words
        )

    async def _look(self, turn: Turn, path: str) -> object:
        """Return what the server knows of the thread, `None` if it has none yet."""
        try:
            return await self._get(turn, path)
        except Permanent as exc:
            if exc.status == 404:
                return None
            raise

    async def _get(self, turn: Turn, path: str) -> object:
        url = self._url(turn, path)
        async with self._endpoint.ask(turn.id, None, turn, "GET", url=url) as answer:
            found: object = (await answer.body()).json()
            return found

    async def _join(self, turn: Turn, run: object) -> JsonObject:
        """Return the state in which an earlier request's *run* ends; raise what it failed by."""
        url = self._url(turn, f"/runs/{run}/join")
        async with self._endpoint.ask(turn.id, None, turn, "GET", url=url) as answer:
            return await state_in(answer)

    def _url(self, turn: Turn, path: str) -> str:
        return f"{self._root}/threads/{thread_id(turn.session)}{path}"


async def state_in(answer: AgentResponse) -> JsonObject:
    """Return the state in which a run ended; raise what its failure means."""
    state = await answer.json()
    # Other names of a state are the graph's own.
    raised = {"__error__": state["__error__"]} if "__error__" in state else {}
    answer.raise_failure(failure_in(raised), _FAILED)
    return state


def thread_id(session: str) -> str:
    """Return the id of the thread for *session*: the server takes UUIDs alone."""
    return str(uuid.uuid5(_NAMESPACE, session))


def run_of(turn: Turn, runs: object) -> JsonObject:
    """Return the newest of *runs* that an earlier attempt at *turn* began, empty if none did."""
    for run in runs if isinstance(runs, list) else []:
        metadata = run.get("metadata") if isinstance(run, dict) else None
        if isinstance(metadata, dict) and metadata.get("turn") == turn.id:
            return dict(run)
    return {}


def is_same_resume(earlier: JsonObject) -> bool:
    """
    Return whether the failed run *earlier* went on after a question.

    It has to be made again as it was: the server keeps the first reply to a question, whatever
    comes after it.
    """
    kwargs = earlier.get("kwargs")
    command = kwargs.get("command") if isinstance(kwargs, dict) else None
    return isinstance(command, dict) and "resume" in command


def run_body(turn: Turn, assistant: str, command: object) -> JsonObject:
    """
    Return the request that runs *assistant* on what *turn* says, or on with *command*.

    The message's id is the turn's: an attempt that failed after it was stored is not doubled.
    What is no text is for the graph's own nodes, under `additional_kwargs`.
    """
    # A thread keeps all it is sent: links, and no data.
    files = (replace(it, data=None) for it in attachments_of(turn))
    attachments = list(map(attachment_json, files))
    payloads = [message.payload for message in turn.messages if message.payload]
    extra = {"attachments": attachments, "payloads": payloads}
    message: JsonObject = {"role": "user", "content": prompt(turn), "id": turn.id}
    if kwargs := {name: value for name, value in extra.items() if value}:
        message["additional_kwargs"] = kwargs
    asked = {"command": command} if command else {"input": {"messages": [message]}}
    return {
        "assistant_id": assistant,
        **asked,
        "metadata": {"turn": turn.id, "session": turn.session},
        "if_not_exists": "create",
        "multitask_strategy": "enqueue",
        "on_disconnect": "continue",
    }
