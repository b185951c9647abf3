"""
Agent Kernel's REST API, of 0.6 and of 0.9: `POST /api/v1/chat`.

The server answers JSON, or server-sent events when its `execution.mode` is `stream`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
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
from ak_instagram.agents.failures import may_be_about_pictures
from ak_instagram.agents.transport import (
    JSON_OR_EVENTS,
    Endpoint,
    JsonObject,
    agent_url,
)
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

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
                result = read_result(await answer.json())
                if isinstance(result, Text) and result.text.startswith(_FAILED):
                    answer.raise_failure(result.text, "agent's model failed")
                yield result
                return
            async for frame in answer.frames(is_last):
                answer.raise_error(frame, Transient, "agent's stream reported an error")
                for part in read_frame(frame):
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
    files: JsonObject = {"images": [], "files": []}

    def goes_along(attachment: Attachment) -> bool:
        return is_carried(attachment) and (shows or attachment.kind != "image")

    for number, attachment in enumerate(filter(goes_along, attachments_of(turn)), start=1):
        ending, mime_type = _FILE_TYPES[attachment.kind]
        is_image = attachment.kind == "image"
        files["images" if is_image else "files"].append(
            {
                "image_data" if is_image else "file_data": attachment.url,
                "name": f"{attachment.kind}-{number}.{ending}",
                "mime_type": mime_type,
            }
        )
    instagram: JsonObject = {"messages": context} if context else {}
    if turn.profile is not None:
        instagram["profile"] = turn.profile.to_json()
        turn = replace(turn, profile=None)
    body = {
        "prompt": prompt(turn, goes_along),
        "session_id": turn.session,
        "user_id": turn.session,
        "agent": turn.agent,
        **files,
        "instagram": instagram,
    }
    return {field: value for field, value in body.items() if value}


def is_carried(attachment: Attachment) -> bool:
    """Return whether *attachment* fits `images` or `files`."""
    return attachment.kind in _FILE_TYPES and attachment.url is not None


def read_result(answer: JsonObject) -> Part:
    """Return the part that a JSON answer is, or raise `Permanent`."""
    if answer.get("status") == "PAUSED":
        return _PAUSED
    if answer.get("status") == "ACCEPTED":
        raise Permanent("Agent Kernel only queues: set its execution.mode to rest_sync or stream")
    result = answer.get("result")
    if not isinstance(result, str):
        raise Permanent("agent's answer has no text in `result`")
    return Text(result)


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
