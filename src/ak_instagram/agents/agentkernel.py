"""
Agent Kernel's REST API, of 0.6 and of 0.9: `POST /api/v1/chat`.

The server answers JSON, or server-sent events when its `execution.mode` is `stream`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

from .agent import Attachment, Handoff, MessageEnd, Needs, Part, Text, Turn, attachments_of, prompt
from .failures import failure_in
from .transport import Endpoint, JsonObject, agent_url, require_object

if TYPE_CHECKING:
    import aiohttp

# Meta names neither file nor type. These are what Instagram's network serves. Agent
# Kernel asks for a name, and for a type only with inline data. Voice notes and videos
# are not among them: Agent Kernel hands `files` to models as documents, which refuse
# them, and what was refused stays in the session for the model to refuse again.
_FILE_TYPES = {
    "image": ("jpg", "image/jpeg"),
    "file": ("pdf", "application/pdf"),
}

# So begins what 0.9 answers with 200 when the model has failed (core/util/error_util.py there),
# known errors and unknown ones alike.
_FAILED = "Error: "
# Texts for what passes by itself, however often it takes.
_PASSES = frozenset(
    {
        "Error: Too many requests. Please try again later.",
        "Error: The service is temporarily unavailable. Please try again.",
        "Error: Could not connect to the model provider. Please check your internet.",
    }
)

_PAUSED = Handoff("the Agent Kernel run is paused until a person decides")


class AgentKernel:
    """Asks an Agent Kernel server, which keeps the conversation under `session_id`."""

    history = 0
    needs = Needs(
        always=(("agent.url", "set the server's root, for example http://localhost:8080"),)
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        self._endpoint = Endpoint(settings, session, agent_url(settings, "/api/v1/chat"))

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the result, or the stream's text and message ends as they come."""
        body = request_body(turn)
        async with self._endpoint.ask(turn.id, body, turn) as answer:
            if not answer.is_stream:
                result = require_object(await answer.json())
                answer.raise_failure(failed_result(result), "agent's model failed")
                yield read_result(result)
                return
            async for frame in answer.frames(is_last):
                answer.raise_failure(failure_in(frame), "agent's stream reported an error")
                for part in read_frame(frame):
                    yield part


def request_body(turn: Turn) -> JsonObject:
    """
    Return the chat request for *turn*.

    `user_id` is the session too: one conversation is one person, whose IGSID stays
    here. Fields that are absent have nothing to say.
    """
    files: JsonObject = {"images": [], "files": []}
    carried = filter(is_carried, attachments_of(turn))
    for number, attachment in enumerate(carried, start=1):
        ending, mime_type = _FILE_TYPES[attachment.kind]
        is_image = attachment.kind == "image"
        files["images" if is_image else "files"].append(
            {
                "image_data" if is_image else "file_data": attachment.url,
                "name": f"{attachment.kind}-{number}.{ending}",
                "mime_type": mime_type,
            }
        )
    # The server hands fields that it does not know to its hooks, and logs them: so these have
    # the payloads of taps and what messages refer to, and no text.
    context = [
        {"payload": message.payload, "context": dict(message.context or {})}
        for message in turn.messages
        if message.payload or message.context
    ]
    body = {
        "prompt": prompt(turn, is_carried),
        "session_id": turn.session,
        "user_id": turn.session,
        "agent": turn.agent,
        **files,
        "instagram": {"messages": context} if context else None,
    }
    return {field: value for field, value in body.items() if value}


def is_carried(attachment: Attachment) -> bool:
    """Return whether *attachment* fits `images` or `files`."""
    return attachment.kind in _FILE_TYPES and attachment.url is not None


def read_result(answer: JsonObject) -> Part:
    """Return the part that a JSON answer is, or raise `Transient` or `Permanent`."""
    if answer.get("status") == "PAUSED":
        return _PAUSED
    if answer.get("status") == "ACCEPTED":
        raise Permanent("Agent Kernel only queues: set its execution.mode to rest_sync or stream")
    result = answer.get("result")
    if not isinstance(result, str):
        raise Permanent("agent's answer has no text in `result`")
    if result in _PASSES:
        raise Transient(f"agent's model failed: {result}")
    return Text(result)


def failed_result(answer: JsonObject) -> str | None:
    """Return the words of a run that failed for a reason that may stay, `None` if it did not."""
    result = answer.get("result")
    has_failed = isinstance(result, str) and result.startswith(_FAILED) and result not in _PASSES
    return str(result).removeprefix(_FAILED) if has_failed else None


def read_frame(frame: JsonObject) -> list[Part]:
    """Return the parts in one event of a stream."""
    delta = frame.get("delta")
    parts: list[Part] = [Text(delta)] if isinstance(delta, str) else []
    match frame.get("event"):
        case {"type": "message_end"}:
            parts.append(MessageEnd())
        case {"type": "run_paused"}:
            parts.append(_PAUSED)
    return parts


def is_last(frame: JsonObject) -> bool:
    """Return whether the stream ends with *frame*."""
    return bool(frame.get("done"))
