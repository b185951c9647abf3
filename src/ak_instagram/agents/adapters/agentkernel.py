"""
Agent Kernel's REST API, of 0.6 and of 0.9: `POST /api/v1/chat`.

The server answers JSON, or server-sent events when its `execution.mode` is `stream`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import structlog

from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    MessageEnd,
    Needs,
    Part,
    Text,
    Turn,
    attachments_of,
    prompt,
)
from ak_instagram.agents.approvals import (
    APPROVED,
    DENIED,
    Decision,
    approval,
    call_in_words,
    decision,
)
from ak_instagram.agents.failures import may_be_about_pictures
from ak_instagram.agents.transport import (
    JSON_OR_EVENTS,
    Endpoint,
    JsonObject,
    agent_url,
)
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

from .a2a_answer import objects

if TYPE_CHECKING:
    import aiohttp

log = structlog.get_logger()

# Meta names neither file nor type. These are what Instagram's network serves. Agent
# Kernel asks for a name, and for a type only with inline data. Voice notes and videos
# are not among them: Agent Kernel hands `files` to models as documents, which refuse
# them, and what was refused stays in the session for the model to refuse again.
_FILE_TYPES = {
    "image": ("jpg", "image/jpeg"),
    "file": ("pdf", "application/pdf"),
}

# 0.9 answers 200 when a run has failed, with the error's text behind this as `result`.
_FAILED = "Error: "

_APPROVALS = frozenset({"tool_call", "confirmation"})
_PAUSED = Handoff("the Agent Kernel run is paused until a person decides")


class AgentKernel:
    """Asks an Agent Kernel server, which keeps the conversation under `session_id`."""

    history = 0
    needs = Needs(
        always=(("agent.url", "set the server's root, for example http://localhost:8080"),)
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        self._endpoint = Endpoint(
            settings, session, agent_url(settings, "/api/v1/chat"), accept=JSON_OR_EVENTS
        )
        # Empty unless approvals are the person's.
        self._words = settings.approval_words if settings.paused == "approve" else ()

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """
        Yield the result, or the stream's text and message ends as they come.

        A run that fails with pictures before it says anything is asked for once more
        without them.
        """
        has_begun = False
        try:
            async with aclosing(self._ask(turn, shows=True)) as parts:
                async for part in parts:
                    has_begun = True
                    yield part
        except (Permanent, Transient) as exc:
            shown = [it for it in attachments_of(turn) if it.kind == "image" and is_carried(it)]
            if has_begun or not (shown and may_be_about_pictures(exc)):
                raise
            log.warning("agent.asked_for_less", left_out="pictures", reason=str(exc))
        else:
            return
        async with aclosing(self._ask(turn, shows=False)) as parts:
            async for part in parts:
                yield part

    async def _ask(self, turn: Turn, shows: bool) -> AsyncGenerator[Part]:
        """Yield the parts of one run's answer."""
        async with self._endpoint.ask(turn.id, request_body(turn, shows), turn) as answer:
            if not answer.is_stream:
                for part in read_result(await answer.json(), self._words):
                    if isinstance(part, Text) and part.text.startswith(_FAILED):
                        answer.raise_failure(part.text, "agent's model failed")
                    yield part
                return
            async for frame in answer.frames(is_last):
                answer.raise_error(frame, Transient, "agent's stream reported an error")
                for part in read_frame(frame, self._words):
                    yield part


def request_body(turn: Turn, shows: bool = True) -> JsonObject:
    """
    Return the chat request for *turn*; a picture is a line of the prompt unless it *shows*.

    `user_id` is the session too: one conversation is one person, whose IGSID stays
    here. Fields that are absent have nothing to say.
    """
    # The server hands fields that it does not know to its hooks, and logs them: so these have
    # the payloads of taps and what messages refer to, and no text.
    context = [
        {"payload": message.payload, "context": dict(message.context or {})}
        for message in turn.messages
        if message.payload or message.context
    ]
    decided = decision(turn) if context else None
    files: JsonObject = {"images": [], "files": []}

    def goes_along(attachment: Attachment) -> bool:
        return is_carried(attachment) and (shows or attachment.kind != "image")

    for number, attachment in enumerate(filter(goes_along, attachments_of(turn)), start=1):
        ending, mime_type = _FILE_TYPES[attachment.kind]
        if attachment.data is not None:
            mime_type = attachment.data.removeprefix("data:").partition(";")[0]
            ending = mime_type.partition("/")[2]
        is_image = attachment.kind == "image"
        files["images" if is_image else "files"].append(
            {
                "image_data" if is_image else "file_data": attachment.source,
                "name": f"{attachment.kind}-{number}.{ending}",
                "mime_type": mime_type,
            }
        )
    body = {
        "prompt": prompt(turn, goes_along) if decided is None else None,
        "resume": resumed(decided) if decided is not None else None,
        "session_id": turn.session,
        "user_id": turn.session,
        "agent": decided.token.get("agent") if decided is not None else turn.agent,
        **files,
        "instagram": {"messages": context} if context and decided is None else None,
    }
    return {field: value for field, value in body.items() if value}


def is_carried(attachment: Attachment) -> bool:
    """Return whether *attachment* fits `images` or `files`."""
    return attachment.kind in _FILE_TYPES and attachment.source is not None


def resumed(decided: Decision) -> JsonObject:
    """Return the block that goes on with the run that waits for the decision."""
    told = {"id": decided.token.get("id"), "status": decided.choice, "message": decided.words}
    decisions = [{name: value for name, value in told.items() if value}]
    return {"run_id": decided.token.get("run"), "decisions": decisions}


def paused(run: JsonObject, words: Sequence[str]) -> list[Part]:
    """
    Return what is said of a paused *run*: with *words* an approval, else it is for staff.

    Of several approvals the first is asked for; the run pauses again for the next. A run that
    asks for a value is for staff, since what the person writes can't be told from another question.
    """
    waiting = objects(run.get("interruptions"))
    if not words or not waiting or any(it.get("kind") not in _APPROVALS for it in waiting):
        return [_PAUSED]
    first = waiting[0]
    asked = first.get("message") or call_in_words(first.get("tool_name"), first.get("arguments"))
    token = {"run": run.get("run_id"), "agent": run.get("agent"), "id": first.get("id")}
    choices = list(zip(words, (APPROVED, DENIED), strict=True))
    return (approval(asked, token, choices) if isinstance(asked, str) and asked else []) or [
        _PAUSED
    ]


def read_result(answer: JsonObject, approval_words: Sequence[str] = ()) -> list[Part]:
    """Return the parts that a JSON answer is, or raise `Permanent`."""
    if answer.get("status") == "PAUSED":
        return paused(answer, approval_words)
    if answer.get("status") == "ACCEPTED":
        raise Permanent("Agent Kernel only queues: set its execution.mode to rest_sync or stream")
    result = answer.get("result")
    if not isinstance(result, str):
        raise Permanent("agent's answer has no text in `result`")
    return [Text(result)]


def read_frame(frame: JsonObject, approval_words: Sequence[str] = ()) -> list[Part]:
    """Return the parts in one event of a stream."""
    delta = frame.get("delta")
    parts: list[Part] = [Text(delta)] if isinstance(delta, str) else []
    event = frame.get("event")
    match event:
        case {"type": "message_end"}:
            parts.append(MessageEnd())
        case {"type": "run_paused"}:
            assert isinstance(event, dict)
            parts += paused(event, approval_words)
    return parts


def is_last(frame: JsonObject) -> bool:
    """Return whether the stream ends with *frame*."""
    return bool(frame.get("done"))
