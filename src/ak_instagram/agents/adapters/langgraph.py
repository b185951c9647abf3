"""
LangGraph's Agent Server: a run on the conversation's thread, `POST /threads/{id}/runs/wait`.

The server keeps threads and runs, and so each turn begins with a look: whether an earlier attempt
has run or still runs, and whether the graph waits for what the person says now. Nothing of that
is kept here.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ak_instagram.agents.agent import Needs, Part, Turn, attachments_of, prompt
from ak_instagram.agents.approvals import decision
from ak_instagram.agents.failures import failure_in
from ak_instagram.agents.transport import Endpoint, JsonObject, agent_url
from ak_instagram.errors import Permanent
from ak_instagram.settings.model import AgentSettings

from .http.template import attachment_json
from .langgraph_state import (
    STAFF,
    approval_of,
    decisions_of,
    interrupts_of,
    is_for_person,
    message_ids,
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
            settings, session, self._root, asks_model=True, headers=key, max_body=MAX_BODY
        )
        self._assistant = settings.model or DEFAULT_ASSISTANT
        self._asks_person = settings.paused != "handoff"
        # Empty unless approvals are the person's.
        self._words = settings.approval_words if settings.paused == "approve" else ()

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the graph's new messages, then the question for which it waits."""
        for part in await self._ask(turn):
            yield part

    async def _ask(self, turn: Turn) -> list[Part]:
        thread = await self._look(turn, "")
        runs = await self._look(turn, f"/runs?limit={RUNS}") if thread else []
        earlier = run_of(turn, runs)
        if earlier.get("status") in _WORTH_JOINING:
            state = await self._call(turn, f"/runs/{earlier.get('run_id')}/join", None, "GET")
            return self._read(state, turn.id)
        pending = interrupts_of(thread)
        command: object = None
        if is_same_resume(earlier):
            command = earlier["kwargs"]["command"]
        elif pending and self._words and (asked := approval_of(pending, self._words)):
            if (decided := decision(turn)) is None:
                return asked  # it takes a tap
            command = {"resume": decisions_of(decided)}
        elif pending:
            if not (self._asks_person and is_for_person(pending)):
                return [STAFF]
            command = {"resume": prompt(turn)}
        body = run_body(turn, turn.agent or self._assistant, command)
        state = await self._call(turn, "/runs/wait", body)
        return self._read(state, turn.id, message_ids(thread))

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

    async def _call(
        self, turn: Turn, path: str, body: JsonObject | None, method: str = "POST"
    ) -> JsonObject:
        """Return the state in which a run ended; raise what its failure means."""
        url = self._url(turn, path)
        async with self._endpoint.ask(turn.id, body, turn, method, url=url) as answer:
            state = await answer.json()
            # Other names of a state are the graph's own.
            raised = {"__error__": state["__error__"]} if "__error__" in state else {}
            answer.raise_failure(failure_in(raised), _FAILED)
            return state

    def _url(self, turn: Turn, path: str) -> str:
        return f"{self._root}/threads/{thread_id(turn.session)}{path}"


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
